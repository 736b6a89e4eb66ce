"""A picture that a reviewer hides while pages are open, and the appeal of its owner."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.axe import violations_by_theme
from tests.browser.conftest import PHONE, SignIn
from tests.browser.page_actions import expect_picture, send, task_id_of
from tests.browser.sign_in import submit_sign_in
from tests.studio import Studio

pytestmark = pytest.mark.browser

DECIDE = """async ([url, decision]) => {
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  return (await fetch(url, { method: "POST", headers, body: JSON.stringify(decision) })).status;
}"""
HIDDEN = "已被审阅人隐藏"


@pytest.fixture
def staff(studio: Studio, sign_in: SignIn) -> Page:
    page = sign_in(None, studio.url).new_page()
    page.goto("/accounts/sign-in/?next=/admin/review/")
    submit_sign_in(page, studio.printed["Name"], studio.printed["Password"])
    page.wait_for_url("**/admin/review/**")
    return page


def image_id(studio: Studio, task_id: str) -> int:
    query = 'select id from generation_generatedimage where task_id = ? order by "index"'
    with sqlite3.connect(studio.data_dir / "db.sqlite3") as database:
        return int(database.execute(query, [task_id.replace("-", "")]).fetchone()[0])


def decide(staff: Page, image: int, **decision: Any) -> None:
    assert staff.evaluate(DECIDE, [f"/admin/review/{image}/decide/", decision]) == 200


def test_a_hidden_picture_disappears_from_open_pages(
    page: Page, phone: BrowserContext, staff: Page, studio: Studio
) -> None:
    card = send(page, "hidden later", size="256x256", n=2, steps=2)
    expect_picture(page, card)
    task = task_id_of(card)
    pictures = card.locator(".card__pictures a.frame__link")
    gallery = page.context.new_page()
    gallery.goto("/gallery/")
    tile = gallery.locator(f".tile[data-key='{task}:1']")
    tile.locator("a").click()
    notice = gallery.locator("dialog.viewer [data-part=notice]")
    expect(gallery.locator(".viewer__picture img")).to_be_visible()
    expect(pictures).to_have_count(2)

    image = image_id(studio, task)
    decide(staff, image, version=0, state="hidden", reason=1, note="第二排")

    expect(notice).to_contain_text(HIDDEN)
    expect(gallery.locator(".viewer__picture img")).to_have_count(0)
    expect(pictures).to_have_count(1)
    expect(card.locator(".withheld")).to_contain_text(HIDDEN)
    expect(page.locator(f"#recent [data-picture-key='{task}:1']")).to_have_count(0)
    gallery.keyboard.press("Escape")
    expect(tile.locator(".withheld")).to_contain_text(HIDDEN)
    expect(tile.locator("img")).to_have_count(0)
    for each in (page, gallery):
        assert violations_by_theme(each) == {}

    form = phone.new_page()
    form.goto(f"/pictures/{task}/1/")
    expect(form.locator("main")).to_contain_text("第二排")
    assert violations_by_theme(form) == {}
    assert form.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    form.get_by_role("textbox").fill("这是一座雕像。")
    form.get_by_role("button", name="提交申诉").click()
    expect(form.locator("main [role=status]")).to_contain_text("申诉已提交")
    decide(staff, image, version=1, state="approved")

    expect(pictures).to_have_count(2)
    expect(card.locator(".withheld")).to_have_count(0)
    expect(tile.locator("img")).to_have_count(1)
    expect(page.locator(f"#recent [data-picture-key='{task}:1']")).to_have_count(1)
