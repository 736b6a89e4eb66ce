"""The page of one task: timeline, access and related tasks."""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import localtime

from generation import services
from generation.choices import InterruptReason
from generation.models import GenerationTask, Worker
from generation.protocol import Generate
from tests.factories import claim_one, complete, finish, interrupt, settle, store, submit
from tests.pages.page_clients import signed_in

pytestmark = pytest.mark.django_db

ACTIONS = (
    'class="button" type="button" data-action="again"',
    'class="button" type="button" data-action="share"',
    'class="button" href="/?from=',
)


def timeline_of(task: GenerationTask) -> str:
    return f"/tasks/{task.pk}/timeline/"


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.fixture
def interrupted(alice: User, model: str, worker: Worker, now: datetime) -> GenerationTask:
    """Waited 6 s, was lost after 7 s, waited 10 s more and was drawn in 5 s."""
    task = submit(alice, now - seconds(28), prompt="twice begun")
    first = claim_one(worker, now - seconds(22))
    interrupt(first, InterruptReason.MODEL_LOST, now - seconds(15))
    settle(first, now - seconds(15))
    complete(claim_one(worker, now - seconds(5)), now)
    return task


def test_a_timeline_needs_permission(alice: User, bob: User, rita: User, now: datetime) -> None:
    path = timeline_of(submit(alice, now))

    assert signed_in(alice).get(path).status_code == 200
    assert signed_in(rita).get(path).status_code == 200
    assert signed_in(bob).get(path).status_code == 404
    assert signed_in(alice).get(f"/tasks/{uuid.uuid4()}/timeline/").status_code == 404
    assert Client().get(path).status_code == 302
    assert signed_in(alice).post(path).status_code == 405


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            [
                "Attempt 1, interrupted",
                "7.0 s",
                "Waiting for the next attempt",
                "10.0 s",
                "Why was it slow?",
            ],
        ),
        ("zh-hans", ["第 1 次尝试（中断）", "7.0 秒", "等待接手", "10.0 秒", "为什么慢？"]),
    ],
)
def test_an_interrupted_task_shows_its_times(
    alice: User, interrupted: GenerationTask, language: str, words: list[str]
) -> None:
    html = signed_in(alice, language).get(timeline_of(interrupted)).text

    for word in words:
        assert word in html
    assert "timeline__band" in html
    assert "undefined" not in html
    assert not re.search(r"\sstyle=", html)


def test_page_and_fragment_have_the_same_parts(alice: User, interrupted: GenerationTask) -> None:
    client = signed_in(alice, "en")

    page = client.get(f"/tasks/{interrupted.pk}/").text
    fragment = client.get(timeline_of(interrupted)).text

    names = re.findall(r'id="([\w-]+)" data-timeline', fragment)
    assert names == ["task-actions", "time-shares", "timeline"]
    for name in names:
        assert page.count(f'id="{name}"') == 1


def test_svg_numbers_are_not_localised(alice: User, interrupted: GenerationTask) -> None:
    for language in ("en", "zh-hans"):
        html = signed_in(alice, language).get(timeline_of(interrupted)).text
        places = re.findall(r' (?:x|x1|x2|width)="([^"]*)%"', html)
        assert places
        for place in places:
            assert 0 <= float(place) <= 100


def test_actions_are_for_the_owner_and_need_a_picture(
    alice: User, rita: User, interrupted: GenerationTask, now: datetime
) -> None:
    own = signed_in(alice, "en").get(f"/tasks/{interrupted.pk}/").text
    foreign = signed_in(rita, "en").get(f"/tasks/{interrupted.pk}/").text
    empty = signed_in(alice, "en").get(f"/tasks/{submit(alice, now).pk}/").text

    assert [action in own for action in ACTIONS] == [True] * 3
    assert f'name="pictures" value="{interrupted.pk}:1"' in own
    assert not any(action in foreign for action in ACTIONS)
    assert [action in empty for action in ACTIONS] == [True, False, False]


def test_only_pictures_of_the_demo_model_name_it(
    alice: User, interrupted: GenerationTask, worker: Worker, now: datetime
) -> None:
    by_demo = submit(alice, now)
    claim = claim_one(worker, now)
    store(claim, now, demo=True)
    finish(claim, now)
    chip = '<span class="chip">演示模型</span>'

    assert chip not in signed_in(alice).get(f"/tasks/{interrupted.pk}/").text
    assert chip in signed_in(alice).get(f"/tasks/{by_demo.pk}/").text


def test_parents_and_children(alice: User, interrupted: GenerationTask, now: datetime) -> None:
    request = Generate(prompt="a variation", parent=str(interrupted.pk))
    child = services.submit(owner=alice, request=request, now=now).task
    client = signed_in(alice, "en")

    assert f'href="/tasks/{child.pk}/"' in client.get(f"/tasks/{interrupted.pk}/").text
    assert f'href="/tasks/{interrupted.pk}/"' in client.get(f"/tasks/{child.pk}/").text


def test_a_queued_task_shows_its_position(alice: User, model: str, now: datetime) -> None:
    submit(alice, now - seconds(1))
    second = submit(alice, now)

    html = signed_in(alice, "en").get(timeline_of(second)).text

    assert "Position 2 in queue" in html
    assert "in progress" in html


def test_the_log_is_read_once(alice: User, interrupted: GenerationTask) -> None:
    client = signed_in(alice)
    for path in (f"/tasks/{interrupted.pk}/", timeline_of(interrupted)):
        with CaptureQueriesContext(connection) as captured:
            client.get(path)

        reads = [q["sql"] for q in captured if 'FROM "generation_taskevent"' in q["sql"]]
        assert len(reads) == 1


def test_events_are_those_of_the_log(alice: User, interrupted: GenerationTask) -> None:
    html = signed_in(alice, "en").get(f"/tasks/{interrupted.pk}/").text

    for words in ("Claimed by ", "The model process died", "Picture 1 stored", "Completed"):
        assert words in html
    moment = interrupted.events.get(kind="completed").created_at
    assert f'datetime="{localtime(moment):%Y-%m-%dT%H:%M}:' in html
