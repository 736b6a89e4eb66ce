"""Data of one user is not shown to another, and prompts are rendered as text."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewAccount, Shoot, SignIn
from tests.browser.page_actions import expect_live, expect_status, send, task_id_of
from tests.studio import Studio

pytestmark = pytest.mark.browser

MARKUP = (
    """<img src=x onerror="document.title='broken'"><script>document.title='in'</script>&amp;"""
)


def test_the_task_page_of_another_person_is_not_found(
    page: Page, studio: Studio, sign_in: SignIn, new_account: NewAccount, shoot: Shoot
) -> None:
    card = send(page, "mine alone", steps=3, size="256x256")
    expect_status(card, "completed")
    picture = card.locator(".card__pictures a").get_attribute("href")
    task_url = f"/tasks/{task_id_of(card)}/"

    stranger = sign_in(new_account(), studio.url).new_page()
    for url in (task_url, picture or "", "/tasks/00000000-0000-4000-8000-000000000000/"):
        answer = stranger.goto(url)
        assert answer is not None
        assert answer.status == 404
    stranger.goto(task_url)
    expect(stranger.locator("body")).not_to_contain_text("mine alone")
    shoot(stranger, "not-found")
    stranger.goto("/")
    expect_live(stranger)
    expect(stranger.locator("article.card")).to_have_count(0)


def test_markup_in_a_prompt_is_shown_as_text_to_its_owner_and_to_staff(
    page: Page, studio: Studio, sign_in: SignIn, shoot: Shoot
) -> None:
    card = send(page, MARKUP, steps=3, size="256x256")
    expect_status(card, "completed")
    assert_is_text(page)
    page.reload()
    expect_live(page)
    assert_is_text(page)

    staff = sign_in(None, studio.url).new_page()
    staff.goto(f"/tasks/{task_id_of(card)}/")
    staff.locator("#id_login").fill(studio.printed["Name"])
    staff.locator("#id_password").fill(studio.printed["Password"])
    staff.locator("#id_password").press("Enter")
    expect_live(staff)
    assert_is_text(staff)
    shoot(staff, "markup")


def assert_is_text(page: Page) -> None:
    expect(page.locator(".card__prompt")).to_have_text(MARKUP)
    assert page.locator("img[src=x]").count() == 0
    assert page.title() not in ("broken", "in")
