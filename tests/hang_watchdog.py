"""End a test that hangs, and print where every thread and asyncio task waits.

Applies to each phase of a test after HANGS_AFTER seconds (environment; 600). The whole process
ends, because code that ignores cancellation cannot be stopped otherwise.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import threading
from time import monotonic
from typing import Any, TextIO

import pytest

HANGS_AFTER = float(os.environ.get("HANGS_AFTER", "600"))
EXIT_STATUS = 70


class Watchdog:
    """Watches the duration of the current phase from a thread."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self.pause()
        self.over = threading.Event()
        threading.Thread(target=self.run, name="watch", daemon=True).start()

    def begin(self, phase: str) -> None:
        self.phase, self.began = phase, monotonic()

    def pause(self) -> None:
        """Stop the clock: between tests a parallel process may wait for work for long."""
        self.phase, self.began = "between tests", float("inf")

    def run(self) -> None:
        while not self.over.wait(1.0):
            if monotonic() - self.began > HANGS_AFTER:
                self.report()
                os._exit(EXIT_STATUS)

    def report(self) -> None:
        print(f"\nhangs for {HANGS_AFTER:.0f} s: {self.phase}", file=self.out)
        faulthandler.dump_traceback(self.out, all_threads=True)
        for task in tasks():
            print(f"task {task.get_name()}, cancelled {task.cancelling()} times", file=self.out)
            for line in waits_of(task):
                print(f"  {line}", file=self.out)
        self.out.flush()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self.begin(f"setup of {item.nodeid}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        self.begin(item.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        self.begin(f"teardown of {item.nodeid}")

    def pytest_runtest_logfinish(self) -> None:
        self.pause()

    def pytest_unconfigure(self) -> None:
        self.over.set()


def tasks() -> list[asyncio.Task[Any]]:
    """Unfinished tasks of every loop, read from another thread."""
    everything: Any = asyncio.tasks._all_tasks  # type: ignore[attr-defined]
    return [task for task in list(everything) if not task.done()]


def waits_of(task: asyncio.Task[Any]) -> list[str]:
    """The frames of the task, outermost first."""
    lines: list[str] = []
    inner: Any = task.get_coro()
    while inner is not None:
        frame = next(filter(None, (getattr(inner, f"{kind}_frame", None) for kind in KINDS)), None)
        if frame is None:
            return lines
        lines.append(f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_qualname}")
        inner = getattr(inner, "cr_await", getattr(inner, "gi_yieldfrom", None)) or getattr(
            inner, "ag_await", None
        )
    return lines


KINDS = ("cr", "gi", "ag")


def pytest_configure(config: pytest.Config) -> None:
    # while a test runs, its output goes elsewhere
    config.pluginmanager.register(Watchdog(os.fdopen(os.dup(2), "w")))
