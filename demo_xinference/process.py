"""The server's side of one painting process: start, order, stop, kill, restart."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from demo_xinference.messages import PREFIX, pack

logger = logging.getLogger(__name__)

RESTART_DELAY = 1.0
"""Seconds before a restart if a process ended before it was ready."""

END_TIMEOUT = 5.0
"""Seconds for a process to end after its socket was closed."""

ROOT = str(Path(__file__).resolve().parent.parent)
"""The folder of this package, independent of the working directory."""

ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class PainterDied(Exception):
    """The process ended while it was painting."""


class PaintingStopped(Exception):
    """The painting was stopped by a request."""


class PaintingFailed(Exception):
    """The painting failed; the message comes from the process."""


class PainterProcess:
    """Paints one picture at a time; started by the first order, restarted whenever it dies."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self.address = new_address()
        self.restarting = False
        self._closed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._number = 0
        self._paintings: dict[int, tuple[asyncio.Future[bytes], Callable[[int], None]]] = {}

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def paint(
        self,
        order: dict[str, Any],
        on_begin: Callable[[int], None],
        on_step: Callable[[int], None],
        pauses: Sequence[tuple[int, bool]] = (),
    ) -> bytes:
        """The finished JPEG. Raises PainterDied, PaintingStopped, PaintingFailed.

        `on_begin` gets the number that `stop` takes, `on_step` the number of each finished step.
        `pauses` are (step, stoppable): after that step the process waits for `resume`, or for
        `stop` if it is stoppable.
        """
        if self.restarting:
            raise PainterDied
        if self._supervisor is None:
            self._supervisor = asyncio.create_task(self._supervise())
        await self._ready.wait()
        if self._writer is None:
            raise PainterDied
        self._number += 1
        number = self._number
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._paintings[number] = (future, on_step)
        on_begin(number)
        work = {"paint": number, "order": order, "speed": self.speed, "pauses": pauses}
        self._writer.write(pack(work))
        return await future

    def stop(self, number: int) -> None:
        if self._writer is not None:
            self._writer.write(pack({"stop": number}))

    def resume(self, number: int) -> None:
        if self._writer is not None:
            self._writer.write(pack({"resume": number}))

    def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def aclose(self) -> None:
        self._closed = True
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.wait({self._supervisor}, timeout=2 * END_TIMEOUT)

    async def _supervise(self) -> None:
        """Run a process, and a new one whenever it ends."""
        while not self._closed:
            was_ready = False
            try:
                reader = await self._start()
                was_ready = await self._listen(reader)
            finally:
                self._fail_paintings()
                await self._reap()
            logger.warning("painting process ended; starting another")
            self.address = new_address()
            if not was_ready:
                await asyncio.sleep(RESTART_DELAY)

    async def _start(self) -> asyncio.StreamReader:
        ours, theirs = socket.socketpair()
        path = os.pathsep.join(filter(None, (ROOT, os.environ.get("PYTHONPATH"))))
        with theirs:
            self._process = subprocess.Popen(  # noqa: ASYNC220, S603  a few milliseconds, once
                [sys.executable, "-m", "demo_xinference.painter", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=os.environ | ONE_CORE | {"PYTHONPATH": path},
                start_new_session=True,
            )
        ours.setblocking(False)
        reader, self._writer = await asyncio.open_connection(sock=ours)
        return reader

    async def _listen(self, reader: asyncio.StreamReader) -> bool:
        """Read messages until the process ends; returns whether it was ever ready."""
        was_ready = False
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                header, payload = PREFIX.unpack(await reader.readexactly(PREFIX.size))
                message = json.loads(await reader.readexactly(header))
                body = await reader.readexactly(payload)
                if "ready" in message:
                    was_ready, self.restarting = True, False
                    self._ready.set()
                else:
                    self._handle(message, body)
        return was_ready

    def _handle(self, message: dict[str, Any], body: bytes) -> None:
        future, on_step = self._paintings[message["job"]]
        if "step" in message:
            on_step(message["step"])
            return
        del self._paintings[message["job"]]
        if future.done():
            return
        if "done" in message:
            future.set_result(body)
        elif "failed" in message:
            future.set_exception(PaintingFailed(message["failed"]))
        else:
            future.set_exception(PaintingStopped())

    def _fail_paintings(self) -> None:
        """Fail all paintings of a process that has ended."""
        self._ready.clear()
        self.restarting = True
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        lost, self._paintings = self._paintings, {}
        for future, _ in lost.values():
            if not future.done():
                future.set_exception(PainterDied())
                future.exception()

    async def _reap(self) -> None:
        """Wait for the end of a process whose socket is closed, and kill it after a timeout."""
        process = self._process
        if process is None:
            return
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(process.wait, END_TIMEOUT)
        finally:
            process.kill()
            process.wait()
            self._process = None


def new_address() -> str:
    """Each process of the real server listens on a port of its own, new after every start."""
    return f"127.0.0.1:{random.randrange(30000, 60000)}"  # noqa: S311  a name, not a secret
