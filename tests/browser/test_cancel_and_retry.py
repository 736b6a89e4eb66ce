"""Cancel a task on the page, and retry it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Shoot
from tests.browser.page_actions import (
    card_of,
    expect_percent,
    expect_picture,
    expect_status,
    recorded,
    send,
    task_id_of,
)
from tests.demo_faults import HELD_STEPS, STUBBORN_STEPS

pytestmark = pytest.mark.browser


def test_a_cancel_is_shown_until_the_call_ends(page: Page, shoot: Shoot) -> None:
    card = send(page, "停在半路", size="256x256", steps=STUBBORN_STEPS)
    task_id = task_id_of(card)
    expect_percent(card, 5)
    card.locator("[data-action=cancel]").click()
    shoot(page, "stopping")

    expect_status(card, "cancelled")
    expect(card.locator("[data-part=headline]")).to_contain_text("已取消")
    expect(card.locator("[data-action=cancel]")).to_be_hidden()
    shoot(page, "cancelled")

    seen = recorded(page, task_id)
    stopping = [each for each in seen if each["stopping"]]
    assert {each["status"] for each in stopping} == {"running"}
    assert {each["headline"] for each in stopping} == {"正在停止：显卡将在这一步结束后停下"}
    assert all(each["percent"] < 100 for each in seen)


def test_a_cancelled_task_is_tried_again_as_a_new_one(page: Page) -> None:
    card = send(page, "once more", steps=HELD_STEPS, size="1024x1024")
    old_id = task_id_of(card)
    expect_status(card, "running")
    card.locator("[data-action=cancel]").click()
    expect_status(card, "cancelled")

    card.locator("[data-action=retry]").click()
    cards = card_of(page, "once more")
    expect(cards).to_have_count(2)
    again = page.locator(f"article.card:not([data-task-id='{old_id}'])")
    expect_percent(again, 5)
    expect_status(page.locator(f"#task-{old_id}"), "cancelled")
    again.locator("[data-action=cancel]").click()
    expect_status(again, "cancelled")


def test_a_queued_task_is_cancelled_at_once(page: Page, shoot: Shoot) -> None:
    first = send(page, "at work", steps=HELD_STEPS, size="1024x1024")
    expect_status(first, "running")
    second = send(page, "second in mind", steps=4)
    third = send(page, "third in mind", steps=4, size="256x256")
    expect(second.locator("[data-part=headline]")).to_have_text("排队第 1 位")
    expect(third.locator("[data-part=headline]")).to_have_text("排队第 2 位")
    shoot(page, "in-line")

    second.locator("[data-action=cancel]").click()
    expect_status(second, "cancelled")
    expect(second.locator("[data-part=headline]")).to_have_text("排队时已取消")
    expect(third.locator("[data-part=headline]")).to_have_text("排队第 1 位")
    first.locator("[data-action=cancel]").click()
    expect_picture(page, third)
