"""The keyboard: focus is never lost; keys move through the page; filters are in the URL."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Shoot, SignIn
from tests.browser.page_actions import expect_live, expect_status, send
from tests.demo_faults import HELD_STEPS, SOME_SECONDS
from tests.studio import Studio

pytestmark = pytest.mark.browser


def focused(page: Page) -> Locator:
    return page.locator(":focus")


def menu_of(card: Locator) -> Locator:
    return card.locator(".card__more summary")


def press_in_menu(card: Locator, action: str) -> None:
    menu_of(card).press("Enter")
    card.locator(f".menu__panel [data-action={action}]").press("Enter")


def test_removed_elements_pass_their_focus_on(page: Page, shoot: Shoot) -> None:
    older = send(page, "the older one", steps=2, size="256x256")
    expect_status(older, "completed")
    newer = send(page, "the newer one", steps=2, size="256x256")
    expect_status(newer, "completed")
    running = send(page, "never finished", steps=HELD_STEPS, size="1024x1024")
    expect_status(running, "running")

    running.locator("[data-action=cancel]").press("Enter")
    expect_status(running, "cancelled")
    expect(running.locator(":focus")).to_have_count(1)

    press_in_menu(newer, "share")
    dialog = page.get_by_role("dialog", name="分享链接", exact=True)
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(menu_of(newer)).to_be_focused()

    press_in_menu(newer, "delete")
    expect(newer).to_have_count(0)
    expect(older.locator("[data-part=link]")).to_be_focused()

    page.locator("#alerts [data-part=action]").press("Enter")
    expect(newer).to_be_visible()
    expect(older.locator("[data-part=link]")).to_be_focused()

    # a picture that is deleted in the viewer cannot be where the viewer was opened
    page.locator("#recent [data-picture-key]").first.press("Enter")
    expect(page.get_by_role("dialog", name=re.compile("the newer one"))).to_be_visible()
    page.keyboard.press("Delete")
    expect(page.locator("#alerts .toast")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    # once the server has confirmed, the opener is gone
    page.wait_for_function("document.activeElement.checkVisibility()")
    expect(focused(page)).to_have_count(1)

    # and a card that its filter hides
    again = send(page, "leaves its filter", steps=HELD_STEPS)
    expect_status(again, "running")
    page.locator("#filters [data-filter=active]").press("Enter")
    again.locator("[data-action=cancel]").press("Enter")
    expect(again).to_be_hidden()
    expect(focused(page)).to_be_visible()


def test_keys_walk_through_the_cards_and_are_listed(page: Page, shoot: Shoot) -> None:
    for prompt in ("first", "second"):
        expect_status(send(page, prompt, steps=2, size="256x256"), "completed")
    links = page.locator(".card [data-part=link]")

    page.locator("[name=prompt]").press("j")
    expect(page.locator("[name=prompt]")).to_have_value("secondj")
    page.locator("#filters [data-filter=all]").focus()
    page.keyboard.press("j")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("K")
    expect(links.nth(0)).to_be_focused()

    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="键盘快捷键", exact=True)
    expect(dialog).to_be_visible()
    shoot(page, "keys")
    dialog.get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("?")
    expect(dialog).to_have_count(0)
    expect(links.nth(0)).to_be_focused()


def test_filters_stand_in_the_address(page: Page) -> None:
    done = send(page, "done", steps=2, size="256x256")
    expect_status(done, "completed")
    stopped = page.locator("#filters [data-filter=stopped]")
    everything = page.locator("#filters [data-filter=all]")

    stopped.click()
    expect(done).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/\?show=stopped$"))
    page.reload(wait_until="commit")
    expect(stopped).to_have_attribute("aria-pressed", "true")
    expect_live(page)
    expect(done).to_be_hidden()
    page.go_back()
    expect(done).to_be_visible()
    expect(everything).to_have_attribute("aria-pressed", "true")
    page.go_forward()
    expect(done).to_be_hidden()
    expect(page.locator(".language [name=next]").first).to_have_value("/?show=stopped")

    page.goto("/gallery/")
    page.locator("[name=favourite]").check(force=True)
    expect(page).to_have_url(re.compile(r"favourite=1"))
    expect(page.locator(".tile")).to_have_count(0)
    page.reload()
    expect(page.locator("[name=favourite]")).to_be_checked()
    page.go_back()
    expect(page.locator(".tile")).to_have_count(1)
    expect(page.locator("[name=favourite]")).not_to_be_checked()
    page.go_forward()
    expect(page.locator("[name=favourite]")).to_be_checked()
    expect(page.locator(".tile")).to_have_count(0)


def test_the_event_log_is_read_with_the_keyboard(page: Page) -> None:
    card = send(page, "a long story", **SOME_SECONDS)
    expect_status(card, "completed")
    card.locator("[data-part=link]").click()
    events = page.get_by_role("list", name=re.compile("事件"))
    expect_live(page)
    assert events.evaluate("list => list.scrollHeight > list.clientHeight")

    events.press("Home")
    page.wait_for_function("list => list.scrollTop === 0", arg=events.element_handle())
    events.press("End")
    page.wait_for_function("list => list.scrollTop > 0", arg=events.element_handle())


def test_the_password_follows_the_name(sign_in: SignIn, studio: Studio) -> None:
    page = sign_in(None, studio.url).new_page()
    page.goto("/")
    expect(page.locator("[data-show-password]")).to_be_visible()

    page.locator("[name=login]").press("Tab")
    expect(page.locator("[name=password]")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("[data-show-password]")).to_be_focused()
