"""A process that decodes pictures and nothing else, so that it can be killed.

    python -m generation.image_subprocess FD

It answers one request after the other on the socket FD until that is closed. Its memory is
limited, and so are the processor time and the time of each request: beyond them it is dead.
"""

from __future__ import annotations

import contextlib
import resource
import signal
import socket
import sys
from typing import Any

from generation import image_check, images
from generation.choices import ErrorCode
from generation.exceptions import PictureError
from generation.image_ipc import TIME_LIMIT, pack, receive

PROCESSOR_LIMIT = 10.0
"""Seconds for one request; the largest picture takes half a second."""

MEMORY_LIMIT = 512 * 1024 * 1024
"""Of address space; the largest picture takes seven tenths of it, libraries included."""


def answer(header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
    """What is sent back: the finished file, or the code of the error."""
    try:
        if header["do"] == "thumbnail":
            return {}, images.thumbnail_of(body)
        size = {"width": header["width"], "height": header["height"]}
        picture = image_check.decode(body.decode(), **size)
        picture = images.with_parameters(picture, header["parameters"])
        return {"format": picture.format}, picture.data
    except PictureError as error:
        return {"code": error.code.value, "cause": cause_of(error)}, b""
    except MemoryError as error:
        return {"code": ErrorCode.PICTURE_TOO_LARGE.value, "cause": repr(error)}, b""


def cause_of(error: PictureError) -> str:
    return error.detail or (repr(error.__cause__) if error.__cause__ else "")


def serve(connection: socket.socket) -> None:
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            header, body = receive(connection)
            limit_time(PROCESSOR_LIMIT, TIME_LIMIT)
            reply = pack(*answer(header, body))
            limit_time(0, 0)
            connection.sendall(reply)


def limit_time(processor: float, clock: float) -> None:
    """Their signals end the process, also in the middle of a decoder."""
    signal.setitimer(signal.ITIMER_PROF, processor)
    signal.setitimer(signal.ITIMER_REAL, clock)


def main() -> None:
    # the worker may still finish its pictures when all of its processes are asked to stop
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_IGN)
    # some systems do not know the limit of memory
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        serve(connection)


if __name__ == "__main__":
    main()
