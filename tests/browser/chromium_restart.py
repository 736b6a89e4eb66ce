"""Replace a Chromium that crashed during a test, report it, and repeat the test.

A test is repeated once. Every crash is listed in the summary, with its diagnosis.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from playwright.sync_api import Browser, Playwright

from tests.studio import wait_until

CRASHED = "chromium crashed"
PROGRAM = Path(__file__).with_name("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
LOG_TAIL = 2_000


class Chromium:
    """One browser at a time; a crashed one is replaced."""

    def __init__(self, playwright: Playwright, folder: Path) -> None:
        self.playwright = playwright
        self.log = folder / "chromium.log"
        self.browser: Browser | None = None
        self.gone = False
        """Whether it crashed before close()."""
        self.expected = False
        """Whether a test killed it on purpose."""

    def running(self) -> Browser:
        if self.browser is None or not self.browser.is_connected():
            self.log.write_text("")
            self.browser = self.playwright.chromium.launch(
                executable_path=PROGRAM,
                args=FLAGS,
                env={**os.environ, "CHROMIUM_LOG": str(self.log)},
            )
            self.gone = self.expected = False
        return self.browser

    def crashed(self) -> bool:
        return self.gone or (self.browser is not None and not self.browser.is_connected())

    def diagnosis(self) -> str:
        """Exit status, memory of the machine, and the end of its log."""
        said = self.log.read_text(errors="replace").strip()
        ended = next((line for line in said.splitlines() if line.startswith("ended with")), "")
        memory = Path("/proc/meminfo").read_text().splitlines()[:3]
        return "\n".join([ended or "nothing is known of its end", *memory, said[-LOG_TAIL:]])

    def kill(self) -> None:
        """Kill the browser, like a crash."""
        self.expected = True
        for process in children_of(os.getpid()):
            if "--remote-debugging-pipe" in command_of(process):
                os.kill(process, signal.SIGKILL)
        wait_until(lambda: "ended with" in self.log.read_text(), what="Chromium has ended")

    def close(self) -> None:
        self.gone = self.crashed()
        if self.browser is not None:
            self.browser.close()
            self.browser = None


def children_of(pid: int) -> list[int]:
    """Every process below `pid`; none for one that ended in the meantime."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in children:
            found += [child, *children_of(child)]
    return found


def command_of(pid: int) -> list[str]:
    """Of Chromium's own processes only the first one has the pipe, and no type.

    Empty for the others, and for a process that ended in the meantime.
    """
    try:
        command = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []
    is_chromium = "/chromium" in command[0]
    is_first = is_chromium and not any("--type=" in each for each in command)
    return command if is_first else []


def repeat_if_chromium_crashed(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """Run the test; once more if its browser crashed."""
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    chromium = item.session.stash.get(CHROMIUM, None)
    if chromium is not None and chromium.crashed() and any(each.failed for each in reports):
        if not chromium.expected:
            item.user_properties.append((CRASHED, chromium.diagnosis()))
        # as for a first time
        item._initrequest()  # type: ignore[attr-defined]
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


CHROMIUM = pytest.StashKey[Chromium]()
