"""A crashed Chromium is reported and replaced, and its test runs once more."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Error

from tests.browser.chromium_restart import Chromium

pytestmark = pytest.mark.browser
runs: list[Browser] = []


def test_a_killed_browser_is_replaced(chromium_process: Chromium, chromium: Browser) -> None:
    chromium_process.kill()
    with pytest.raises(Error):
        chromium.new_context()

    assert chromium_process.crashed()
    assert "ended with status 137" in chromium_process.diagnosis()
    assert "MemAvailable" in chromium_process.diagnosis()
    again = chromium_process.running()
    assert again.is_connected()
    again.new_context().close()


def test_a_test_without_browser_is_repeated(chromium_process: Chromium, chromium: Browser) -> None:
    runs.append(chromium)
    if len(runs) == 1:
        chromium_process.kill()

    chromium.new_context().close()

    assert len(runs) == 2
