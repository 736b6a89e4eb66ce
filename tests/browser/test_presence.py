"""Progress outside the page: title, tab icon, notification, sound."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.accounts import Account
from tests.browser.conftest import SignIn
from tests.browser.page_actions import card_of, expect_status, open_studio, send, task_id_of
from tests.demo_faults import SOME_SECONDS
from tests.studio import Studio

pytestmark = pytest.mark.browser

ELSEWHERE = Path(__file__).with_name("presence.js")
DRAWN = re.compile("^data:image/svg")
BELL = "details:has([data-bell])"


def icon(page: Page) -> str:
    return page.locator("link[rel=icon]").get_attribute("href") or ""


def choose(page: Page, name: str) -> None:
    page.locator("[data-bell]").click()
    page.locator(f"{BELL} [name={name}]").click()


def notes(page: Page) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = page.evaluate(
        "notes.map(({ title, body, tag }) => ({ title, body, tag }))"
    )
    return shown


@pytest.fixture
def watcher(sign_in: SignIn, studio: Studio, person: Account) -> BrowserContext:
    """A user with notification permission, in a browser where pages can be hidden."""
    context = sign_in(person, studio.url)
    context.add_init_script(path=ELSEWHERE)
    return context


def test_title_and_icon_follow_the_newest_task_and_calm_down(page: Page) -> None:
    calm = icon(page)
    assert page.title() == "工作台 · LiuJuan Studio"

    card = send(page, "seen in the tab", **SOME_SECONDS)
    page.wait_for_function("() => /^[1-9]\\d?% · /.test(document.title)")
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", DRAWN)
    first = icon(page)
    page.wait_for_function(
        "was => document.querySelector('link[rel=icon]').href !== was", arg=first
    )

    expect_status(card, "completed")
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", calm)
    expect(page).to_have_title("工作台 · LiuJuan Studio")


def test_an_end_in_hidden_tabs_is_one_notification_that_links(watcher: BrowserContext) -> None:
    first, second = open_studio(watcher), open_studio(watcher)
    choose(first, "notify")
    expect(first.locator("[data-bell]")).to_have_attribute("data-on", "")
    expect(second.locator("[data-bell]")).to_have_attribute("data-on", "")
    for page in (first, second):
        page.evaluate("leave(true)")

    card = send(first, "sent elsewhere", steps=2, size="256x256")
    expect_status(card, "completed")
    expect_status(card_of(second, "sent elsewhere"), "completed")
    first.wait_for_timeout(1_500)  # a second one would come within that time

    both = notes(first) + notes(second)
    assert [(each["title"], each["tag"]) for each in both] == [("图画好了", task_id_of(card))]
    assert "sent elsewhere" in both[0]["body"]
    assert first.title().startswith("已完成 · ")
    teller = first if notes(first) else second
    teller.evaluate("notes[0].note.dispatchEvent(new Event('click'))")
    focused = "document.activeElement.closest('article')?.dataset.taskId"
    assert teller.evaluate(focused) == task_id_of(card)
    first.evaluate("leave(false)")
    expect(first).to_have_title("工作台 · LiuJuan Studio")


def test_no_notification_and_no_sound_in_a_visible_tab(watcher: BrowserContext) -> None:
    page = open_studio(watcher)
    choose(page, "sound")
    page.wait_for_function("() => tones.length === 2")  # how it will sound

    expect_status(send(page, "watched", steps=2, size="256x256"), "completed")
    page.wait_for_timeout(1_000)
    assert page.evaluate("tones.length") == 2
    page.evaluate("leave(true)")
    expect_status(send(page, "heard", steps=2, size="256x256"), "completed")

    page.wait_for_function("() => tones.length === 4")
    assert notes(page) == []


def test_a_refused_permission_is_shown(sign_in: SignIn, studio: Studio, person: Account) -> None:
    context = sign_in(person, studio.url)
    context.add_init_script(
        "Object.defineProperty(Notification, 'permission', { get: () => 'denied' });"
        "window.asked = 0;"
        "Notification.requestPermission = async () => { asked += 1; return 'denied'; };"
    )
    page = open_studio(context)
    assert page.evaluate("asked") == 0

    choose(page, "notify")

    expect(page.locator(f"{BELL} [data-part=alerts-why]")).to_contain_text("浏览器拦截了本站的通知")
    expect(page.locator(f"{BELL} [name=notify]")).not_to_be_checked()
    assert page.evaluate("asked") == 1
