"""Cards of the server have all parts once scripts run; without them, only what works."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accounts import Account
from tests.browser.conftest import SignIn
from tests.browser.page_actions import (
    card_of,
    expect_live,
    expect_picture,
    expect_status,
    send,
)
from tests.demo_faults import HELD_STEPS
from tests.studio import Studio

pytestmark = pytest.mark.browser

PARTS = """root => [...root.querySelectorAll("[data-part], [data-action]")]
    .filter(({ dataset }) => dataset.part !== "heart")
    .map(({ dataset }) => `${dataset.part} ${dataset.action}`)"""


def test_cards_of_the_server_get_all_parts_in_their_order(page: Page) -> None:
    expect_picture(page, send(page, "complete", size="256x256", steps=2))
    expect_status(send(page, "at work", steps=HELD_STEPS), "running")
    expect_status(send(page, "waits"), "queued")
    send(page, "cancelled").locator("[data-action=cancel]").click()
    expect_status(card_of(page, "cancelled"), "cancelled")

    page.reload()
    expect_live(page)

    whole = page.locator("#card-template").evaluate(f"template => ({PARTS})(template.content)")
    assert len(whole) > 30
    for prompt in ("complete", "at work", "waits", "cancelled"):
        assert card_of(page, prompt).evaluate(PARTS) == whole, prompt
    expect(card_of(page, "complete").get_by_role("button", name="再画")).to_be_visible()


def test_without_scripts_a_card_offers_only_what_works(
    page: Page, sign_in: SignIn, studio: Studio, person: Account
) -> None:
    expect_picture(page, send(page, "no scripts", size="256x256", steps=2))

    plain = sign_in(person, studio.url, java_script_enabled=False).new_page()
    plain.goto("/")

    card = card_of(plain, "no scripts")
    expect(card.locator("img")).to_be_visible()
    assert card.locator("a:not([href]), button").count() == 0
    picture = card.locator(".card__pictures a").get_attribute("href")
    assert plain.request.get(f"{studio.url}{picture}").headers["content-type"] == "image/jpeg"
