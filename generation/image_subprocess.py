"""A process that only decodes pictures, so that it can be killed.

    python -m generation.image_subprocess FD

It handles requests on the socket FD until that is closed. Memory, processor time and wall-clock
time per request are limited; beyond a limit the process is killed.
"""

from __future__ import annotations

import contextlib
import resource
import signal
import socket
import sys
from typing import Any

from generation import image_check, images
from generation.error_codes import ErrorCode
from generation.exceptions import PictureError
from generation.image_ipc import TIME_LIMIT, pack, receive
from generation.image_similarity import similarity_of

PROCESSOR_LIMIT = 10.0
"""Seconds for one request; the largest picture takes half a second."""

MEMORY_LIMIT = 512 * 1024 * 1024
"""Bytes of address space; the largest picture takes 70 % of it, libraries included."""


def answer(header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
    """The response: the finished file, or an error code."""
    try:
        if header["do"] == "thumbnail":
            small = images.thumbnail_of(body)
            return {"similarity": similarity_of(small)}, small
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
    """Set timers whose signals kill the process, even inside a decoder."""
    signal.setitimer(signal.ITIMER_PROF, processor)
    signal.setitimer(signal.ITIMER_REAL, clock)


def main() -> None:
    # SIGTERM reaches the whole group, and the worker still finishes its pictures
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_IGN)
    # not every system has a limit of memory
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        serve(connection)


if __name__ == "__main__":
    main()
