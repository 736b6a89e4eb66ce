"""The admin's task pages at desktop size."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SignIn
from tests.browser.page_actions import expect_status, send, task_id_of
from tests.browser.sign_in import submit_sign_in
from tests.studio import Studio

pytestmark = pytest.mark.browser
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
    assert table.evaluate("(node) => node.scrollWidth <= node.clientWidth")

    staff.goto(f"{LIST}{task_id_of(card)}/change/")
    picture = staff.locator(".preview img")
    expect(picture).to_be_visible()
    assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth > 0)")
