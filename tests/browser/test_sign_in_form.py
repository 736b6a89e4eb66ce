"""Signing in, refused sign-ins, and signing out, in a browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Shoot, SignIn
from tests.browser.page_actions import expect_live
from tests.browser.sign_in import submit_sign_in
from tests.studio import Studio

pytestmark = pytest.mark.browser


@pytest.fixture
def door(sign_in: SignIn, studio: Studio) -> Page:
    """The sign-in page after a request for the studio."""
    page = sign_in(None, studio.url).new_page()
    page.goto("/")
    expect(page).to_have_url(re.compile(r"/accounts/sign-in/\?next=/$"))
    return page


def test_the_printed_account_signs_in_and_out(door: Page, studio: Studio, shoot: Shoot) -> None:
    shoot(door, "sign-in")
    submit_sign_in(door, studio.printed["Name"], studio.printed["Password"])

    expect(door).to_have_url(f"{studio.url}/")
    expect_live(door)
    shoot(door, "empty")

    door.locator(".avatar").click()
    door.get_by_role("button", name="退出").click()
    expect(door).to_have_url(re.compile("/accounts/sign-in/"))
    door.goto("/")
    expect(door).to_have_url(re.compile("/accounts/sign-in/"))


def test_drafts_are_removed_at_sign_out(studio: Studio, context: BrowserContext) -> None:
    page, other_tab = context.new_page(), context.new_page()
    for each in (page, other_tab):
        each.goto("/")
        expect_live(each)
        each.locator("[name=prompt]").fill("a secret plan")
    page.evaluate("localStorage.setItem('studio.theme', 'dark')")
    page.wait_for_function("() => JSON.stringify({...localStorage}).includes('a secret plan')")

    page.locator(".avatar").click()
    page.get_by_role("button", name="退出").click()
    expect(page).to_have_url(re.compile("/accounts/sign-in/"))
    page.wait_for_function("() => localStorage.getItem('studio.signed-out')")
    other_tab.close(run_before_unload=True)
    assert "a secret plan" not in kept(page)
    assert page.evaluate("localStorage.getItem('studio.theme')") == "dark"

    page.evaluate("localStorage.setItem('studio.draft.another', '{}')")
    submit_sign_in(page, studio.printed["Name"], studio.printed["Password"])
    expect_live(page)
    page.wait_for_function("() => !localStorage.getItem('studio.draft.another')")


def kept(page: Page) -> str:
    """Everything that the browser keeps for this address."""
    text: str = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    return text


def test_a_wrong_password_keeps_the_user_name(door: Page, studio: Studio, shoot: Shoot) -> None:
    submit_sign_in(door, studio.printed["Name"], "not the password")

    alert = door.locator("#sign-in-error")
    expect(alert).to_be_visible()
    assert alert.inner_text().strip()
    expect(door.locator("#id_login")).to_have_value(studio.printed["Name"])
    expect(door.locator("#id_password")).to_be_focused()
    shoot(door, "sign-in-refused")


def test_the_password_can_be_shown_and_hidden(door: Page) -> None:
    field = door.locator("#id_password")
    field.fill("secret")
    toggle = door.locator("[data-show-password]")

    toggle.click()
    expect(field).to_have_attribute("type", "text")
    toggle.click()
    expect(field).to_have_attribute("type", "password")
