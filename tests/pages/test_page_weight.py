"""What pages weigh, as they are served and before anything is compressed."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from django.contrib.auth.models import User

from generation.models import Worker
from tests.conftest import serve_model
from tests.pages.busy_feed import BusyFeed
from tests.pages.test_pages import signed_in, state_in

pytestmark = pytest.mark.django_db

STUDIO_BYTES = 135_000


def cards_in(html: str) -> list[str]:
    body = re.sub(r"<template.*?</template>", "", html, flags=re.DOTALL)
    return re.findall(r'<article class="card".*?</article>', body, flags=re.DOTALL)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_studio_with_thirty_cards_is_small(
    alice: User, worker: Worker, now: datetime, language: str
) -> None:
    serve_model(now=now, slots=2)
    BusyFeed(alice, worker, now).fill()

    page = signed_in(alice, language).get("/")

    assert len(state_in(page.text)["tasks"]) == 30
    assert len(page.content) < STUDIO_BYTES


def test_the_first_paint_is_what_runs_and_what_is_done_not_what_is_folded_away(
    alice: User, worker: Worker, now: datetime
) -> None:
    serve_model(now=now, slots=2)
    BusyFeed(alice, worker, now).fill()

    html = signed_in(alice).get("/").text

    statuses = [re.search(r'data-status="(\w+)"', card) for card in cards_in(html)]
    shown = [found[1] for found in statuses if found]
    assert shown == ["running"] * 2 + ["cancelled", "failed", "completed", "failed"]
    assert html.index('id="queue"') < html.index('data-status="cancelled"')


def test_a_short_queue_is_in_the_first_paint(alice: User, worker: Worker, now: datetime) -> None:
    feed = BusyFeed(alice, worker, now)
    feed.submit()
    feed.submit()

    html = signed_in(alice).get("/").text

    assert len(cards_in(html)) == 2
    assert 'id="queue" hidden' in html
    assert html.index('id="queue"') < html.index("<article")
