"""Accessibility: axe-core, and use by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import violations_by_theme
from tests.browser.conftest import SignIn
from tests.browser.page_actions import expect_live, expect_status, send, task_id_of
from tests.demo_faults import HELD_STEPS
from tests.studio import Studio

pytestmark = pytest.mark.browser


def assert_open_to_all(page: Page) -> None:
    assert violations_by_theme(page) == {}, page.url


def test_the_empty_studio_and_its_form_are_open_to_all(page: Page) -> None:
    assert_open_to_all(page)
    page.locator("[name=prompt]").fill("")
    page.locator("#send").click()
    expect(page.locator("[data-error=prompt]")).to_be_visible()
    assert_open_to_all(page)
    page.set_viewport_size({"width": 390, "height": 844})
    assert_open_to_all(page)


def test_cards_in_every_state_are_open_to_all(page: Page) -> None:
    done = send(page, "done", steps=2, size="256x256")
    expect_status(done, "completed")
    stopped = send(page, "stopped", steps=HELD_STEPS, size="1024x1024", n=4)
    expect_status(stopped, "running")
    waiting = send(page, "waiting", steps=2, size="256x256")
    expect_status(waiting, "queued")
    assert_open_to_all(page)

    stopped.locator("[data-action=cancel]").click()
    expect_status(stopped, "cancelled")
    expect_status(waiting, "completed")
    assert_open_to_all(page)


def test_the_page_of_a_task_is_open_to_all(page: Page) -> None:
    card = send(page, "a page of its own", steps=2, size="256x256")
    expect_status(card, "completed")
    page.goto(f"/tasks/{task_id_of(card)}/")
    expect_live(page)
    assert_open_to_all(page)


def test_gallery_viewer_and_comparison_are_open_to_all(page: Page) -> None:
    card = send(page, "two to compare", steps=2, size="256x256", n=2)
    expect_status(card, "completed")
    task = task_id_of(card)
    page.goto("/gallery/")
    assert_open_to_all(page)

    page.locator("a[data-picture-key]").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.get_by_role("dialog")).to_contain_text("two to compare")
    assert_open_to_all(page)

    page.goto(f"/compare/?picture={task}:1&picture={task}:2")
    assert_open_to_all(page)


def test_the_trash_is_open_to_all(page: Page) -> None:
    page.goto("/trash/")
    assert_open_to_all(page)
    page.goto("/")
    card = send(page, "thrown away", steps=2, size="256x256")
    expect_status(card, "completed")
    card.locator("[data-menu] summary").click()
    card.locator("[data-action=delete]").click()
    expect(card).to_have_count(0)

    page.goto("/trash/")
    page.locator(".trash__empty summary").click()
    expect(page.locator(".trash__items")).to_contain_text("thrown away")
    assert_open_to_all(page)
    page.set_viewport_size({"width": 320, "height": 640})
    assert_open_to_all(page)


def test_public_pages_are_accessible(sign_in: SignIn, studio: Studio) -> None:
    page = sign_in(None, studio.url).new_page()
    for url in ("/accounts/sign-in/", "/nothing/here/"):
        page.goto(url)
        assert_open_to_all(page)


def test_a_picture_is_asked_for_and_opened_by_keyboard_alone(page: Page) -> None:
    press_until(page, lambda: page.evaluate("document.activeElement?.name") == "prompt")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("by keyboard")
    page.keyboard.press("Control+Enter")
    card = page.locator("article.card").first
    expect_status(card, "completed")
    assert page.evaluate("document.activeElement?.name") == "prompt"

    picture = card.locator("a[data-picture-key]:visible").first
    press_until(page, lambda: has_focus(picture))
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert has_focus(picture)


def press_until(page: Page, reached: Callable[[], bool]) -> None:
    for _press in range(80):
        if reached():
            return
        page.keyboard.press("Tab")
    raise AssertionError("80 presses of Tab do not lead there")


def has_focus(element: Locator) -> bool:
    return bool(element.evaluate("(node) => node === document.activeElement"))
