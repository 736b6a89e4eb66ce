"""When Chromium goes away it is said how, there is another one, and its test runs once more."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Error

from tests.browser.vanishing import Chromium

pytestmark = pytest.mark.browser
runs: list[Browser] = []


def test_a_browser_that_was_killed_is_replaced_and_its_end_told(
    any_chromium: Chromium, chromium: Browser
) -> None:
    any_chromium.kill()
    with pytest.raises(Error):
        chromium.new_context()

    assert any_chromium.vanished()
    assert "ended with status 137" in any_chromium.last_words()
    assert "MemAvailable" in any_chromium.last_words()
    again = any_chromium.running()
    assert again.is_connected()
    again.new_context().close()


def test_a_test_whose_browser_vanished_runs_once_more(
    any_chromium: Chromium, chromium: Browser
) -> None:
    runs.append(chromium)
    if len(runs) == 1:
        any_chromium.kill()

    chromium.new_context().close()

    assert len(runs) == 2
