"""Checks of what may hang, such as a network disk, without holding up anything else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")


class Check(Generic[T]):
    """A check that may hang: runs in its own thread, one at a time; its result is cached.

    A database or a network disk that hangs blocks this thread only, however many requests come.
    """

    def __init__(
        self,
        read: Callable[[], T],
        on_timeout: Callable[[], T],
        on_error: Callable[[Exception], T],
        *,
        kept: float,
    ) -> None:
        self.read = read
        self.on_timeout = on_timeout
        self.on_error = on_error
        self.kept = kept
        self.lock = threading.Lock()
        self.running: Future[T] | None = None
        self.answered = float("-inf")

    def start(self) -> Future[T]:
        """The running check, or the cached result, or a new check."""
        with self.lock:
            running = self.running
            fresh = monotonic() - self.answered < self.kept
            if running is not None and (fresh or not running.done()):
                return running
            self.running = Future()
            # the interpreter waits for threads of its pool when the process ends
            threading.Thread(target=self.run, args=[self.running], daemon=True).start()
            return self.running

    def run(self, answer: Future[T]) -> None:
        try:
            result = self.read()
        except Exception as error:  # noqa: BLE001  it is the answer
            result = self.on_error(error)
        self.answered = monotonic()
        answer.set_result(result)

    def wait(self, seconds: float) -> T:
        """For commands; a web process awaits `start()` instead."""
        try:
            return self.start().result(seconds)
        except TimeoutError:
            return self.on_timeout()


async def answer_of(check: Check[T], seconds: float) -> T:
    """The check's result; after `seconds` its `on_timeout` result."""
    try:
        # shielded: the check goes on, and later probes get its result
        running = asyncio.shield(asyncio.wrap_future(check.start()))
        return await asyncio.wait_for(running, seconds)
    except TimeoutError:
        return check.on_timeout()
