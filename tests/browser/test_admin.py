"""The admin's task pages fit laptops and tablets."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import SignIn
from tests.browser.page_actions import expect_status, send, task_id_of
from tests.browser.sign_in import submit_sign_in
from tests.studio import Studio

pytestmark = pytest.mark.browser
SIZES: list[ViewportSize] = [{"width": 1280, "height": 720}, {"width": 820, "height": 1180}]
LIST = "/admin/generation/generationtask/"


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_list_and_task_page_fit(page: Page, sign_in: SignIn, studio: Studio, locale: str) -> None:
    send(page, "onewordthatisaslongasawholelineof" * 6, steps=2, size="256x256")
    card = send(page, "a heron for staff", steps=2, size="256x256")
    expect_status(card, "completed")
    staff = sign_in(None, studio.url, locale=locale).new_page()
    staff.goto("/accounts/sign-in/")
    submit_sign_in(staff, studio.printed["Name"], studio.printed["Password"])
    expect(staff.locator("#composer")).to_be_visible()

    staff.goto(LIST)
    table = staff.locator(".results")
    expect(table).to_contain_text("a heron for staff")
    for size in SIZES:
        staff.set_viewport_size(size)
        for part in (table, staff.locator("html"), staff.locator(".finder")):
            assert part.evaluate("(node) => node.scrollWidth <= node.clientWidth")

    staff.goto(f"{LIST}{task_id_of(card)}/change/")
    picture = staff.locator(".preview img")
    expect(picture).to_be_visible()
    assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth > 0)")
