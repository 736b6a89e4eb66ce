"""After a sign-out the browser shows nothing private any more."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.page_actions import expect_live, expect_picture, send
from tests.studio import Studio

pytestmark = pytest.mark.browser
SIGN_IN = re.compile("/accounts/sign-in/")

IN_CACHE = """async url => fetch(url, {cache: "only-if-cached", mode: "same-origin"})
    .then(response => response.ok, () => false)"""


def test_back_shows_nothing_private(studio: Studio, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/")
    expect_live(page)
    card = send(page, "a secret garden")
    expect_picture(page, card)
    picture = card.locator("img").first.get_attribute("src") or ""
    assert page.evaluate(IN_CACHE, picture)
    page.goto("/gallery/")
    expect(page.get_by_text("a secret garden").first).to_be_attached()
    page.goto("/accounts/password/change/")

    page.locator(".avatar").click()
    page.get_by_role("button", name="退出").click()
    expect(page).to_have_url(SIGN_IN)

    assert not page.evaluate(IN_CACHE, picture)
    for _step in ("account", "gallery", "studio"):
        page.go_back()
        expect(page).to_have_url(SIGN_IN)
        assert "a secret garden" not in page.content()
