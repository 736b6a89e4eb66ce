"""From the button to the picture: on one page, after a reload, and on two pages."""

from __future__ import annotations

import sqlite3
import uuid

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.accounts import Account
from tests.browser.conftest import Shoot, SignIn
from tests.browser.page_actions import (
    STEPS,
    Seen,
    card_of,
    expect_live,
    expect_percent,
    expect_picture,
    percent_of,
    recorded,
    send,
    task_id_of,
    without_repeats,
)
from tests.demo_faults import HELD_STEPS, SOME_SECONDS
from tests.studio import Studio

pytestmark = pytest.mark.browser


def test_the_button_leads_through_seven_steps_to_the_picture(page: Page, shoot: Shoot) -> None:
    page.emulate_media(reduced_motion="no-preference")
    card = send(page, "柳岸晓风", **SOME_SECONDS)
    expect_percent(card, 40)
    shoot(page, "running")
    expect_picture(page, card)
    shoot(page, "completed")

    seen = recorded(page, task_id_of(card))
    assert without_repeats([each["step"] for each in seen]) == STEPS
    assert_percent_is_honest(seen)
    steps = card.locator(".step")
    assert [step.get_attribute("data-step") for step in steps.all()] == STEPS


def assert_percent_is_honest(seen: list[Seen]) -> None:
    """It never goes back, passes through the middle, and says 100 with the picture alone."""
    percents = [each["percent"] for each in seen]
    assert percents == sorted(percents)
    assert len({percent for percent in percents if 0 < percent < 100}) >= 3
    for each in seen:
        assert (each["percent"] == 100) == (each["status"] == "completed")
        if each["percent"] == 100:
            assert each["pictures"] > 0


def test_a_reload_half_way_begins_where_the_page_was(page: Page) -> None:
    card = send(page, "reload me", **SOME_SECONDS)
    expect_percent(card, 45)
    task_id = task_id_of(card)
    last_seen = percent_of(card)
    steps_before = without_repeats([each["step"] for each in recorded(page, task_id)])

    page.reload(wait_until="commit")
    expect_picture(page, card_of(page, "reload me"))

    seen = recorded(page, task_id)
    first = seen[0]
    assert (first["status"], first["step"]) == ("running", steps_before[-1])
    assert last_seen <= first["percent"] < 100
    assert_percent_is_honest(seen)
    steps_after = without_repeats([each["step"] for each in seen])
    assert steps_before + steps_after[1:] == STEPS


def test_pages_need_no_script(page: Page, sign_in: SignIn, studio: Studio, person: Account) -> None:
    card = send(page, "no scripts here", steps=HELD_STEPS, size="1024x1024")
    expect_percent(card, 5)
    last_seen = percent_of(card)

    plain = sign_in(person, studio.url, java_script_enabled=False).new_page()
    plain.goto("/")

    painted = card_of(plain, "no scripts here")
    assert last_seen <= percent_of(painted) < 100
    expect(painted).to_have_attribute("data-status", "running")
    expect(painted.locator(".step[data-current]")).to_have_attribute("data-step", "generating")
    expect(plain.locator("noscript p, .notice").first).to_be_visible()


def written_percents(studio: Studio, task_id: str) -> set[int]:
    """Whole percents that stand in the log of the task."""
    query = "select progress from generation_taskevent where task_id = ?"
    with sqlite3.connect(studio.data_dir / "db.sqlite3") as database:
        return {int(progress) for (progress,) in database.execute(query, [uuid.UUID(task_id).hex])}


def test_a_second_tab_shows_the_task(page: Page, context: BrowserContext, studio: Studio) -> None:
    other = context.new_page()
    other.goto("/")
    expect_live(other)

    card = send(page, "seen twice", **SOME_SECONDS)
    twin = card_of(other, "seen twice")
    expect_percent(twin, 10)
    expect_picture(page, card)
    expect_picture(other, twin)

    task_id = task_id_of(card)
    here, there = recorded(page, task_id), recorded(other, task_id)
    assert_percent_is_honest(there)
    assert without_repeats([each["step"] for each in there])[-4:] == STEPS[-4:]
    assert_percent_is_honest(here)
    # each paints what has come by its next frame, so one may pass over what the other showed
    written = written_percents(studio, task_id)
    for seen in (here, there):
        assert {each["percent"] for each in seen} <= written


def test_the_task_page_follows_the_task_too(page: Page, shoot: Shoot) -> None:
    card = send(page, "watched on its own page", **SOME_SECONDS)
    expect_percent(card, 5)
    card.locator("[data-part=link]").click()

    own = page.locator("article.card")
    expect_percent(own, 30)
    shoot(page, "task-running")
    expect_picture(page, own)
    lines = page.locator("#events .event")
    expect(lines.last).to_have_attribute("data-kind", "completed")
    seqs = [int(line.get_attribute("data-seq") or 0) for line in lines.all()]
    assert seqs == list(range(1, len(seqs) + 1))
    expect(page.locator("#timeline .timeline__row[data-kind=end]")).to_be_visible()
    shoot(page, "task-completed")


def test_each_picture_of_a_batch_is_shown_once_stored(page: Page, shoot: Shoot) -> None:
    card = send(page, "three of a kind", **SOME_SECONDS, n=3)
    expect_percent(card, 40)
    shoot(page, "batch")
    expect_picture(page, card)

    seen = recorded(page, task_id_of(card))
    stored = [each["pictures"] for each in seen if each["status"] == "running"]
    assert without_repeats(stored) == [0, 1, 2, 3]
    expect(card.locator(".card__pictures img")).to_have_count(3)
