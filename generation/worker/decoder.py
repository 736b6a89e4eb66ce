"""Checks images and makes thumbnails in processes that can be killed."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from accounts.log_format import log_line
from generation.error_codes import ErrorCode
from generation.exceptions import DecoderLost, PictureError
from generation.image_ipc import TIME_LIMIT, pack, receive
from generation.images import MAX_BASE64, Picture

logger = logging.getLogger(__name__)

PROCESSES = 2
"""Processes at once, so that one bad image does not delay the others."""

RESPONSE_TIMEOUT = TIME_LIMIT + 10.0
"""Seconds for each part of a response; needed because a stopped process cannot end itself."""

ROOT = str(Path(__file__).resolve().parents[2])
INHERITED = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""Environment variables that the process inherits; others may hold secrets.

numpy gets one thread, because on many cores the stacks of its threads exceed the memory limit.
"""

OUT_OF_BOUNDS = frozenset(
    {
        signal.SIGPROF, signal.SIGALRM, signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT,
        signal.SIGFPE, signal.SIGILL,
    }
)  # fmt: skip
"""Signals that mean that the image ended the process; after any other it is tried again."""


class DecoderProcess:
    """One process; `request` blocks, `kill` may be called from any thread."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(RESPONSE_TIMEOUT)
        path = os.pathsep.join(filter(None, (ROOT, os.environ.get("PYTHONPATH"))))
        with theirs:
            # -P: the working directory of the worker is not on the import path
            command = [sys.executable, "-P", "-W", "ignore", "-m", "generation.image_subprocess"]
            self._process = subprocess.Popen(  # noqa: S603
                [*command, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={name: os.environ[name] for name in INHERITED if name in os.environ}
                | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def request(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """The response; raises PictureError if the image ended the process, else DecoderLost."""
        try:
            self._socket.sendall(pack(header, body))
            return receive(self._socket)
        except (OSError, EOFError) as error:
            self.kill()
            number = -self.close()
            if isinstance(error, TimeoutError) or number in OUT_OF_BOUNDS:
                raise PictureError from error
            raise DecoderLost from error

    def kill(self) -> None:
        """Kill the process, if it is still running."""
        self._process.kill()

    def close(self) -> int:
        """Kill the process if it is still running; returns its exit status."""
        self.kill()
        self._socket.close()
        return self._process.wait()


class ProcessPool:
    """Idle decoder processes; each ends when its socket is closed."""

    def __init__(self) -> None:
        self._idle: list[DecoderProcess] = []

    def take(self) -> DecoderProcess:
        with suppress(IndexError):
            return self._idle.pop()
        return DecoderProcess()

    def give_back(self, process: DecoderProcess) -> None:
        self._idle.append(process)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def warm(self) -> None:
        """Start a process before the first image arrives, because it takes 250 ms."""
        if not self._idle:
            self.give_back(DecoderProcess())


pool = ProcessPool()
atexit.register(pool.close)
threads = ThreadPoolExecutor(PROCESSES, thread_name_prefix="decoder")


class DecoderJob:
    """One request; `cancel` kills its process, or prevents the start."""

    def __init__(self, header: dict[str, Any], body: bytes | str) -> None:
        self._header = header
        self._body = body
        self._lock = threading.Lock()
        self._process: DecoderProcess | None = None
        self._cancelled = False

    def run(self) -> tuple[dict[str, Any], bytes]:
        """Run the request, and again if the process was lost: it may have ended before."""
        try:
            return self._run_once()
        except DecoderLost:
            if self._cancelled:
                raise
            logger.warning("%s", log_line("decoder_lost", picture="decoded again"))
            return self._run_once()

    def _run_once(self) -> tuple[dict[str, Any], bytes]:
        body = self._body if isinstance(self._body, bytes) else in_ascii(self._body)
        process = self._begin()
        try:
            response = process.request(self._header, body)
        finally:
            with self._lock:
                self._process = None
        pool.give_back(process)
        return response

    def _begin(self) -> DecoderProcess:
        process = pool.take()
        with self._lock:
            if not self._cancelled:
                self._process = process
                return process
        pool.give_back(process)
        raise PictureError

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            if self._process is not None:
                self._process.kill()


def in_ascii(text: str) -> bytes:
    """`text` as ASCII; other characters become "?", which is not base64."""
    return text.encode("ascii", "replace")


async def request(header: dict[str, Any], body: bytes | str) -> tuple[dict[str, Any], bytes]:
    """The response of a process, killed if this is cancelled; raises PictureError, DecoderLost."""
    job = DecoderJob(header, body)
    try:
        result, data = await asyncio.get_running_loop().run_in_executor(threads, job.run)
    except asyncio.CancelledError:
        job.cancel()
        raise
    if "code" in result:
        logger.info("%s", log_line("picture_refused", code=result["code"], cause=result["cause"]))
        raise PictureError(ErrorCode(result["code"]), detail=result["cause"])
    return result, data


def warm() -> None:
    threads.submit(pool.warm)


async def check(text: str, *, width: int, height: int, parameters: str) -> Picture:
    """The checked image in base64 `text`, with `parameters` embedded; raises PictureError."""
    if len(text) > MAX_BASE64:
        raise PictureError(ErrorCode.PICTURE_TOO_LARGE)
    header = {"do": "check", "width": width, "height": height, "parameters": parameters}
    result, data = await request(header, text)
    return Picture(data=data, format=result["format"], width=width, height=height)


async def thumbnail(data: bytes) -> tuple[bytes, int | None]:
    """A small WebP of the image file `data`, and its hash; raises PictureError."""
    result, small = await request({"do": "thumbnail"}, data)
    return small, result["similarity"]
