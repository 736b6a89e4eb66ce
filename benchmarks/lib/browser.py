"""A real Chromium beside a testbed: signed in, throttled, traced."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright

from benchmarks.lib.testbed import Person, Served

PROGRAMS = ("chromium-headless-shell", "chromium")
"""The first that is installed is used, as in the browser tests."""

FLAGS = ["--no-sandbox", "--disable-background-networking", "--enable-precise-memory-info"]
DESK = {"width": 1440, "height": 900}
SLOW_3G = {
    "offline": False,
    "latency": 400,
    "downloadThroughput": 50_000,
    "uploadThroughput": 50_000,
}
CPU_SLOWER = 4


@contextmanager
def chromium() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert program is not None, f"none of these is installed: {', '.join(PROGRAMS)}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def window(browser: Browser, served: Served, person: Person) -> Iterator[BrowserContext]:
    """A browser context that is signed in as the person, with an empty cache."""
    context = browser.new_context(base_url=served.url, viewport=DESK, locale="zh-CN")  # type: ignore[arg-type]
    name, value = person.session.split("=", 1)
    context.add_cookies([{"name": name, "value": value, "url": served.url}])
    try:
        yield context
    finally:
        context.close()


def throttled(page: Page) -> CDPSession:
    """Throttle to slow 3G (400 ms, 50 KB/s) and a quarter of the CPU speed."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", SLOW_3G)
    session.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWER})
    return session


def traced(browser: Browser, page: Page, seconds: float) -> list[dict[str, Any]]:
    """The events of Chromium's trace over `seconds`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        browser.start_tracing(
            page=page, path=path, categories=["disabled-by-default-devtools.timeline", "cc"]
        )
        page.wait_for_timeout(seconds * 1000)
        browser.stop_tracing()
        events: list[dict[str, Any]] = json.loads(path.read_text())["traceEvents"]
    return events
