"""Older cards of the task list, and counts over all tasks."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from generation import selectors, services
from generation.models import GenerationTask
from tests.factories import finished_task, submit
from tests.pages.page_clients import signed_in, state_in
from tests.query_plans import plan_of

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def ids(answer: dict[str, Any]) -> list[str]:
    return [each["state"]["task_id"] for each in answer["tasks"]]


def ask(client: Client, **query: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.get("/cards/", query).json()
    return answer


@pytest.fixture
def many(alice: User, now: datetime) -> list[GenerationTask]:
    """70 finished tasks, newest first, every fifth failed; and two that go on."""
    submit(alice, now)
    submit(alice, now)
    statuses = ["failed" if k % 5 == 4 else "completed" for k in range(70)]
    return [
        finished_task(alice, now - (k + 1) * SECOND, pictures=0, status=status)
        for k, status in enumerate(statuses)
    ]


def test_the_page_counts_every_task_of_its_person_and_no_other(
    alice: User, bob: User, now: datetime, many: list[GenerationTask]
) -> None:
    finished_task(bob, now, pictures=0)
    GenerationTask.objects.filter(pk__in=[many[0].pk, many[69].pk]).update(deleted_at=now)

    response = signed_in(alice).get("/")
    state = state_in(response.content.decode())

    assert response.context["counts"] == {"all": 70, "active": 2, "completed": 55, "stopped": 13}
    # 28 finished ones are shown, the sixth part of them failed
    assert len(state["tasks"]) == 30
    assert state["others"] == {"active": 0, "completed": 55 - 23, "stopped": 13 - 5}


def test_older_pages_have_no_gap(alice: User, bob: User, many: list[GenerationTask]) -> None:
    client = signed_in(alice)

    first = ask(client)
    second = ask(client, before=ids(first)[-1])
    third = ask(client, before=ids(second)[-1])

    assert ids(first) + ids(second) + ids(third) == [str(task.pk) for task in many]
    assert [each["more"] for each in (first, second, third)] == [True, True, False]
    assert ids(ask(signed_in(bob))) == []


def test_a_filter_pages_or_restarts(alice: User, many: list[GenerationTask]) -> None:
    client = signed_in(alice)
    failed = [str(task.pk) for task in many if task.status == "failed"]

    assert ids(ask(client, show="stopped", before=str(many[29].pk))) == failed[6:]
    assert ids(ask(client, show="stopped", before="0" * 32)) == failed
    assert client.get("/cards/", {"show": "everything"}).status_code == 400
    assert client.get("/cards/", {"before": "x"}).status_code == 400
    assert Client().get("/cards/").status_code == 403


def test_tasks_are_given_by_name_to_their_owner(
    alice: User, bob: User, now: datetime, many: list[GenerationTask]
) -> None:
    GenerationTask.objects.filter(pk=many[1].pk).update(deleted_at=now)
    query = {"task": [str(task.pk) for task in many[:3]]}

    assert set(ids(signed_in(alice).get("/cards/", query).json())) == {
        str(many[0].pk),
        str(many[2].pk),
    }
    assert ids(signed_in(bob).get("/cards/", query).json()) == []


def test_paging_reads_indexes(alice: User, now: datetime, history: list[GenerationTask]) -> None:
    with CaptureQueriesContext(connection) as counted:
        counts, _others = selectors.task_counts(alice, [task.pk for task in history[:30]])
    with CaptureQueriesContext(connection) as read:
        cards, more = selectors.older_cards(
            alice, before=history[1_200].pk, group="stopped", now=now
        )

    assert counts == {"active": 3, "completed": 2_500, "stopped": 0}
    assert (cards, more) == ([], False)
    every, trash, shown = (plan_of(each["sql"]) for each in counted.captured_queries[:3])
    pages = [plan_of(each["sql"]) for each in read.captured_queries[1:3]]
    assert not any("Seq Scan" in plan for plan in (every, trash, *pages))
    if connection.vendor == "sqlite":  # the other one weighs indexes by what it knows of the rows
        assert "tasks_of_owner_by_status" in every
        assert "tasks_in_trash" in trash
        assert "(id=?)" in shown
        for plan in pages:
            assert "tasks_of_owner_by_status" in plan
            assert "TEMP B-TREE" not in plan


def test_missed_changes_are_read_again(media: Path, alice: User, bob: User, now: datetime) -> None:
    first, second, gone = (finished_task(alice, now - k * SECOND, pictures=2) for k in range(3))
    bobs = finished_task(bob, now)
    services.set_favourite(owner=alice, pictures=[(first.pk, 2)], favourite=True)
    services.move_to_trash(owner=alice, pictures=[(first.pk, 1)], tasks=[gone.pk], now=now)
    asked = {"tasks": [str(task.pk) for task in (first, gone, bobs)] + ["no id"]}

    client = signed_in(alice)
    kept = client.post("/collection/", asked, content_type="application/json").json()

    assert kept == {
        "revision": 2,
        "kept": {str(first.pk): {"2": True}},
        "withheld": {},
        "others": {"active": 0, "completed": 1, "stopped": 0},
        "recent": [str(first.pk), str(second.pk)],
    }
    assert state_in(client.get("/").content.decode())["collection"] == 2
