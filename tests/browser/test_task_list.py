"""The list of cards: sizes, order, and long queues."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.accounts import Account
from tests.browser.conftest import Shoot, SignIn
from tests.browser.page_actions import (
    card_of,
    expect_live,
    expect_picture,
    expect_status,
    fill_lines,
    open_studio,
    send,
)
from tests.demo_faults import HELD_STEPS
from tests.studio import Studio, wait_until

pytestmark = pytest.mark.browser


def width_of(picture: Locator) -> float:
    box = picture.bounding_box()
    assert box is not None
    return box["width"]


def test_the_newest_picture_is_large_and_older_ones_are_small(page: Page, shoot: Shoot) -> None:
    older = send(page, "an older one", size="256x256", steps=2)
    expect_picture(page, older)
    assert width_of(older.locator(".card__pictures .frame__image")) >= 320

    newest = send(page, "the newest one", size="256x256", steps=2)
    expect_picture(page, newest)

    assert width_of(newest.locator(".card__pictures .frame__image")) >= 320
    assert width_of(older.locator(".card__pictures .frame__image")) <= 128
    shoot(page, "newest-large")
    page.set_viewport_size({"width": 2560, "height": 1300})
    task_list = page.locator("#task-list").bounding_box()
    assert task_list is not None
    assert task_list["width"] > 1_600


def test_running_cards_come_first_and_a_long_queue_is_folded(page: Page, shoot: Shoot) -> None:
    lines = [f"heron number {n}" for n in range(6)]
    page.locator("[data-part=scales] label", has=page.locator("[value='1024']")).click()
    fill_lines(page, lines, steps=HELD_STEPS)
    page.locator("#send").click()
    expect_status(card_of(page, lines[0]), "running")
    queue = page.locator("#queue")
    expect(queue).to_contain_text("5")
    expect(queue).to_contain_text(lines[1])
    expect(card_of(page, lines[1])).to_be_hidden()
    shoot(page, "queue-folded")

    page.reload()
    expect(card_of(page, lines[1])).to_be_hidden()
    expect_live(page)
    cards = page.locator("article.card .card__prompt")
    assert cards.all_text_contents()[:2] == lines[:2]
    queue.get_by_role("button").click()
    for line in lines[1:]:
        expect(card_of(page, line)).to_be_visible()
    expect(queue.get_by_role("button")).to_have_attribute("aria-expanded", "true")
    last = card_of(page, lines[5])
    last.locator("[data-action=cancel]").click()
    expect_status(last, "cancelled")
    assert cards.all_text_contents() == [*lines[:5], lines[5]]


def test_what_is_sent_while_its_place_is_out_of_sight_can_be_shown(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 420})
    for n in range(2):
        expect_picture(page, send(page, f"picture {n}", size="256x256", steps=2))
    page.mouse.wheel(0, 2_000)
    page.wait_for_timeout(300)

    again = card_of(page, "picture 0").locator("[data-action=again]")
    again.click()

    toast = page.locator("#alerts")
    expect(toast).to_contain_text("已提交，正在排队")
    toast.get_by_role("button", name="去看看").click()
    expect(card_of(page, "picture 0").first).to_be_in_viewport()


def test_the_first_run_comes_back_when_the_last_card_leaves(page: Page) -> None:
    expect_picture(page, send(page, "the only one", size="256x256", steps=2))
    page.reload()
    expect_live(page)
    expect(page.locator("#empty")).to_have_count(0)
    card = card_of(page, "the only one")
    card.locator("[data-menu] summary").click()
    card.locator("[data-action=delete]").click()

    example = page.locator("#empty [data-example]").first
    expect(example).to_be_visible()
    example.click()
    expect(page.locator("[name=prompt]")).to_have_value("LiuJuan")

    page.locator("#alerts").get_by_role("button").first.click()
    expect(card).to_be_visible()
    expect(page.locator("#empty")).to_be_hidden()


CANCELLED = """
from django.contrib.auth.models import User
from django.db import transaction
from generation import services
from generation.protocol import Generate
from generation.clock import clock

owner = User.objects.get(username="{name}")
with transaction.atomic():
    for number in range({count}):
        request = Generate(prompt=f"old {{number}}")
        task = services.submit(owner=owner, request=request, now=clock.now()).task
        services.request_cancel(task_id=task.pk, now=clock.now())
"""


def test_the_feed_is_paged(studio: Studio, person: Account, sign_in: SignIn, shoot: Shoot) -> None:
    program = CANCELLED.format(name=person.name, count=70)
    studio.shell(program)
    page = open_studio(sign_in(person, studio.url))
    counts = page.locator("#filters [data-filter]")
    expect(counts).to_have_text(["全部 70", "进行中 0", "已完成 0", "失败与取消 70"])
    cards = page.locator("article.card")
    shoot(page, "older-tasks")

    def all_after_scrolling_on() -> bool:
        page.mouse.wheel(0, 20_000)
        return cards.count() == 70

    wait_until(all_after_scrolling_on, what="all tasks are in the list")
    expect(cards.last).to_contain_text("old 0")
    expect(page.locator("#further")).to_be_hidden()

    page.locator("#filters [data-filter=stopped]").click()
    expect(counts).to_have_text(["全部 70", "进行中 0", "已完成 0", "失败与取消 70"])
    page.evaluate("scrollTo(0, 0)")
    card_of(page, "old 69").locator("[data-action=delete]").evaluate("button => button.click()")
    expect(counts).to_have_text(["全部 69", "进行中 0", "已完成 0", "失败与取消 69"])
