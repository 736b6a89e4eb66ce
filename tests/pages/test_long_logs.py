"""Pages of tasks with very long logs read a bounded part of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User

from generation import selectors
from generation.choices import EventKind, Step
from generation.models import GenerationTask, Worker
from generation.services.transition import RUNNING, NewEvent, transition
from tests.factories import claim_one, state_of, submit
from tests.pages.page_clients import signed_in

pytestmark = pytest.mark.django_db

AT_ONCE = 40
ATTEMPT: list[tuple[EventKind, Step, dict[str, Any]]] = [
    (EventKind.CLAIMED, Step.PARSING, {"worker": "12345678"}),
    (EventKind.STEP_BEGAN, Step.LOADING, {"observed": True}),
    (EventKind.STEP_BEGAN, Step.PREPARING, {"observed": True, "seed": 7}),
    (EventKind.INTERRUPTED, Step.PARSING, {"reason": "model_down", "counted": False, "stored": 0}),
]


def lengthen(task: GenerationTask, events: Sequence[NewEvent], now: datetime) -> None:
    for first in range(0, len(events), AT_ONCE):
        transition(
            task_id=task.pk, events=events[first : first + AT_ONCE], sources=RUNNING, now=now
        )


def fractions(count: int) -> list[NewEvent]:
    """As progress that creeps left behind."""
    changes = {"step": Step.GENERATING, "current_image": 1, "progress": 12.0, "eta_seconds": 9.0}
    began = NewEvent(kind=EventKind.STEP_BEGAN, details={"observed": True}, changes=changes)
    return [began] + [
        NewEvent(
            kind=EventKind.PROGRESSED,
            details={"fraction": number / count / 10, "done": 0, "total": 9},
            changes={
                "step": Step.GENERATING,
                "progress": 12.5,
                "eta_seconds": 9.0,
                "current_image": 1,
            },
        )
        for number in range(count - 1)
    ]


def attempts(count: int) -> Iterator[NewEvent]:
    for number in range(count):
        kind, step, details = ATTEMPT[number % len(ATTEMPT)]
        attempt = 1 + number // len(ATTEMPT)
        yield NewEvent(kind=kind, details=details, changes={"step": step, "attempt": attempt})


@pytest.fixture
def running(alice: User, model: str, worker: Worker, now: datetime) -> GenerationTask:
    task = submit(alice, now)
    claim_one(worker, now)
    return task


def test_a_page_reads_the_ends_of_a_long_log(running: GenerationTask, now: datetime) -> None:
    lengthen(running, fractions(2_000), now)
    running.refresh_from_db()

    detail = selectors.task_detail(running, now=now)

    seqs = [frame["seq"] for frame in detail.log]
    assert seqs == [*range(1, 101), *range(running.newest_seq - 399, running.newest_seq + 1)]
    # fractions add nothing that the newest one does not say
    assert detail.card["state"] == {**state_of(running.pk), "images": []}


def test_only_the_middle_is_omitted(running: GenerationTask, now: datetime) -> None:
    lengthen(running, list(attempts(1_600)), now)
    running.refresh_from_db()

    shown = selectors.task_detail(running, now=now).card["state"]

    whole = state_of(running.pk)
    lists = ("timeline", "interruptions")
    assert {**shown, "timeline": [], "interruptions": []} == {
        **whole,
        "timeline": [],
        "interruptions": [],
    }
    for name in lists:
        assert shown[name][-90:] == whole[name][-90:]  # type: ignore[literal-required]
        assert len(shown[name]) < 400 < len(whole["timeline"])  # type: ignore[literal-required]


def test_pages_count_omitted_events(alice: User, running: GenerationTask, now: datetime) -> None:
    lengthen(running, list(attempts(1_600)), now)
    client = signed_in(alice, "en")
    page = f"/tasks/{running.pk}/"

    html = client.get(page).text
    middle = client.get(f"{page}?after=100").text

    assert "1103 events between are not shown" in html.replace(",", "")
    assert seqs_in(html) == [*range(1, 101), *range(1_204, 1_604)]
    assert "Not shown" in html
    assert seqs_in(middle) == [*range(101, 601)]
    assert 'href="?after=600#events-title"' in middle
    assert seqs_in(client.get(f"{page}?after=1600").text) == [1_601, 1_602, 1_603]
    assert seqs_in(client.get(f"{page}?after={10**30}").text) == []
    for nonsense in ("", "x", "-5"):
        assert len(seqs_in(client.get(f"{page}?after={nonsense}").text)) == 500


def seqs_in(html: str) -> list[int]:
    return [int(seq) for seq in re.findall(r'<li class="event" data-seq="(\d+)"', html)]


def test_staff_page_through_a_long_log(running: GenerationTask, now: datetime) -> None:
    lengthen(running, fractions(700), now)
    client = signed_in(User.objects.create_superuser("root"), "en")
    page = f"/admin/generation/generationtask/{running.pk}/change/"

    ends, rest = client.get(page).text, client.get(f"{page}?after=500").text

    assert 'href="?after=500#events-group"' in ends
    assert staff_seqs(ends) == [*range(1, 21), *range(624, 704)]
    assert staff_seqs(rest) == [*range(501, 601)]
    assert len(ends) < 300_000


def staff_seqs(html: str) -> list[int]:
    return [int(seq) for seq in re.findall(r'<td class="field-seq">\s*<p>(\d+)</p>', html)]
