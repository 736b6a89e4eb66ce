"""What Chromium fetches for a page."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.page_actions import card_of, expect_live, expect_status, send
from tests.demo_faults import HELD_STEPS
from tests.page_budgets import OWN_BYTES

pytestmark = pytest.mark.browser

OWN_FILES = """() => performance.getEntriesByType("resource")
    .filter(({ name }) => /\\/static\\/studio\\/.*\\.(css|js)$/.test(name))
    .map(({ name, decodedBodySize }) =>
      [name.split("/").pop().replace(/[.][0-9a-f]+/, ""), decodedBodySize])"""


def test_a_running_task_loads_few_styles_and_scripts(context: BrowserContext, page: Page) -> None:
    expect_status(send(page, "at work", steps=HELD_STEPS), "running")

    other = context.new_page()
    other.goto("/")
    expect_live(other)
    expect(card_of(other, "at work").locator(".frame__grid rect[data-done]").first).to_be_visible()
    other.wait_for_load_state("networkidle")

    files: dict[str, int] = dict(other.evaluate(OWN_FILES))
    assert {"card.css", "studio.js", "print.css", "tab-status.js"} <= files.keys()
    assert min(files.values()) > 0
    assert sum(files.values()) < OWN_BYTES
