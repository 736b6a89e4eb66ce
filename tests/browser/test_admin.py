"""The admin's task pages fit laptops and tablets."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.axe import violations_by_theme
from tests.browser.conftest import SignIn
from tests.browser.page_actions import expect_status, send, task_id_of
from tests.browser.sign_in import submit_sign_in
from tests.demo_faults import HELD_STEPS
from tests.studio import Studio

pytestmark = pytest.mark.browser
SIZES: list[ViewportSize] = [{"width": 1280, "height": 720}, {"width": 820, "height": 1180}]
LIST = "/admin/generation/generationtask/"


def staff_page(sign_in: SignIn, studio: Studio, locale: str) -> Page:
    """A page of the printed account, which is a superuser."""
    staff = sign_in(None, studio.url, locale=locale).new_page()
    staff.goto("/accounts/sign-in/")
    submit_sign_in(staff, studio.printed["Name"], studio.printed["Password"])
    expect(staff.locator("#composer")).to_be_visible()
    return staff


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_list_and_task_page_fit(page: Page, sign_in: SignIn, studio: Studio, locale: str) -> None:
    send(page, "onewordthatisaslongasawholelineof" * 6, steps=2, size="256x256")
    card = send(page, "a heron for staff", steps=2, size="256x256")
    expect_status(card, "completed")
    staff = staff_page(sign_in, studio, locale)

    staff.goto(f"{LIST}?status__exact=completed")
    table = staff.locator(".results")
    expect(table).to_contain_text("a heron for staff")
    for size in SIZES:
        staff.set_viewport_size(size)
        for part in (table, staff.locator("html"), staff.locator(".finder")):
            assert part.evaluate("(node) => node.scrollWidth <= node.clientWidth")
    assert violations_by_theme(staff) == {}

    staff.goto(f"{LIST}{task_id_of(card)}/change/")
    for selector in (".preview img", ".timeline__bar"):
        expect(staff.locator(selector).first).to_be_visible()
    picture = staff.locator(".preview img")
    assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth > 0)")
    assert staff.locator("html").evaluate("(node) => node.scrollWidth <= node.clientWidth")
    assert violations_by_theme(staff) == {}


def test_the_open_page_of_a_task_follows_it(page: Page, sign_in: SignIn, studio: Studio) -> None:
    card = send(page, "held for staff", steps=HELD_STEPS, size="1024x1024")
    expect_status(card, "running")
    staff = staff_page(sign_in, studio, "en-GB")
    staff.goto(f"{LIST}{task_id_of(card)}/change/")
    state = staff.locator(".staff-task__state")
    expect(state).to_contain_text("Running")
    staff.locator("#staff-task summary").focus()

    card.locator("[data-action=cancel]").click()

    expect(state).to_contain_text("Cancelled")
    expect(staff.locator("#staff-task-log")).to_contain_text("Cancellation requested")
    expect(staff.locator("#act-retry")).to_be_visible()
    expect(staff.locator("#staff-task summary")).to_be_focused()
