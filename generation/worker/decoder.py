"""Checks pictures and makes thumbnails in processes that can be killed."""

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

from accounts.log_escaping import log_line
from generation.choices import ErrorCode
from generation.exceptions import DecoderLost, PictureError
from generation.image_ipc import TIME_LIMIT, pack, receive
from generation.images import MAX_BASE64, Picture

logger = logging.getLogger(__name__)

PROCESSES = 2
"""At once; one bad picture must not hold up the others."""

PATIENCE = TIME_LIMIT + 10.0
"""Seconds for each part of an answer: a process that was stopped ends itself no more."""

ROOT = str(Path(__file__).resolve().parents[2])
INHERITED = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""What the process gets of the environment; the rest holds secrets.

One thread for numpy: on a machine of many cores the stacks of theirs would fill its memory limit.
"""

OUT_OF_BOUNDS = frozenset(
    {
        signal.SIGPROF, signal.SIGALRM, signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT,
        signal.SIGFPE, signal.SIGILL,
    }
)  # fmt: skip
"""Deaths for which the picture is to blame; of any other the next process may know nothing."""


class DecoderProcess:
    """One process; `ask` blocks, `kill` may come from any thread."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(PATIENCE)
        path = os.pathsep.join(filter(None, (ROOT, os.environ.get("PYTHONPATH"))))
        with theirs:
            # -P: nothing is imported from the folder in which the worker happens to run
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

    def ask(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """The answer; raises PictureError if the picture ended the process, else DecoderLost."""
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
        """Without effect on a process that has ended by itself."""
        self._process.kill()

    def close(self) -> int:
        """Kill it, if it has not ended, and return how it ended."""
        self.kill()
        self._socket.close()
        return self._process.wait()


class ProcessPool:
    """Idle processes of this one; each ends when its socket is closed, by whatever."""

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
        """Start a process before the first picture comes; it takes a quarter of a second."""
        if not self._idle:
            self.give_back(DecoderProcess())


pool = ProcessPool()
atexit.register(pool.close)
threads = ThreadPoolExecutor(PROCESSES, thread_name_prefix="decoder")


class Job:
    """One request; `cancel` kills the process that works on it, or keeps it from beginning."""

    def __init__(self, header: dict[str, Any], body: bytes | str) -> None:
        self._header = header
        self._body = body
        self._lock = threading.Lock()
        self._process: DecoderProcess | None = None
        self._cancelled = False

    def run(self) -> tuple[dict[str, Any], bytes]:
        """Once more if the process was lost: it may have been so before it was asked."""
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
            answer = process.ask(self._header, body)
        finally:
            with self._lock:
                self._process = None
        pool.give_back(process)
        return answer

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
    """Base64 is ASCII; anything else is replaced by what no base64 has."""
    return text.encode("ascii", "replace")


async def ask(header: dict[str, Any], body: bytes | str) -> tuple[dict[str, Any], bytes]:
    """The answer of a process; killed when this is cancelled. Raises PictureError, DecoderLost."""
    job = Job(header, body)
    try:
        told, data = await asyncio.get_running_loop().run_in_executor(threads, job.run)
    except asyncio.CancelledError:
        job.cancel()
        raise
    if "code" in told:
        logger.info("%s", log_line("picture_refused", code=told["code"], cause=told["cause"]))
        raise PictureError(ErrorCode(told["code"]), detail=told["cause"])
    return told, data


def warm() -> None:
    threads.submit(pool.warm)


async def check(text: str, *, width: int, height: int, parameters: str) -> Picture:
    """The whole, checked picture in base64 `text`, with `parameters` in it; raises PictureError."""
    if len(text) > MAX_BASE64:
        raise PictureError(ErrorCode.PICTURE_TOO_LARGE)
    header = {"do": "check", "width": width, "height": height, "parameters": parameters}
    told, data = await ask(header, text)
    return Picture(data=data, format=told["format"], width=width, height=height)


async def thumbnail(data: bytes) -> bytes:
    """A small WebP of the picture file `data`; raises PictureError."""
    return (await ask({"do": "thumbnail"}, data))[1]
