"""The operations page on a desk and a tablet, in both languages and themes."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import serious_violations, violations_by_theme
from tests.browser.conftest import Shoot, SignIn
from tests.browser.layout import beyond_the_window, covered_texts, resize
from tests.browser.matrix import FULL, LOCALES
from tests.browser.sign_in import submit_sign_in
from tests.studio import Studio

pytestmark = pytest.mark.browser

SIZES = ("820x1180", "1280x720")


@pytest.mark.parametrize("locale", LOCALES)
def test_the_page_fits_is_open_to_all_and_refreshes_itself(
    sign_in: SignIn, studio: Studio, shoot: Shoot, locale: str
) -> None:
    page = sign_in(None, studio.url, locale=locale).new_page()
    page.goto("/accounts/sign-in/")
    submit_sign_in(page, studio.printed["Name"], studio.printed["Password"])
    expect(page.locator("#composer")).to_be_visible()

    page.goto("/admin/operations/")
    for size in SIZES:
        resize(page, size)
        assert beyond_the_window(page) == []
        assert covered_texts(page.locator("#operations-live")) == []
    shoot(page, f"operations-{locale}")
    if locale == LOCALES[0] or FULL:
        # what axe and the refresh do is the same in both languages
        assert violations_by_theme(page) == {}
        refreshes_and_keeps_the_focus(page)

    page.locator("#operate-all").click()
    expect(page.locator(".ops-confirm")).to_be_visible()
    assert serious_violations(page) == []


def refreshes_and_keeps_the_focus(page: Page) -> None:
    page.locator("#table-queue summary").click()
    page.locator("#range-24h").focus()
    shown = page.locator(".ops-time").inner_text()

    expect(page.locator(".ops-time")).not_to_have_text(shown)

    expect(page.locator("#range-24h")).to_be_focused()
    expect(page.locator("#table-queue")).to_have_attribute("open", "")
    expect(page.locator("#operations-stale")).to_be_hidden()
