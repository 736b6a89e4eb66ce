"""Hot queries use their index, and pages do not ask once per row."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from generation import selectors
from generation.choices import TaskStatus
from generation.models import GenerationTask, TaskEvent
from tests.services.test_submitting import submit

pytestmark = pytest.mark.django_db


def test_hot_queries_use_their_index(alice: User, now: datetime) -> None:
    task = submit(alice, now)
    tasks = GenerationTask.objects
    plans = {
        "tasks_of_owner": tasks.filter(owner=alice).newest_first(),
        "tasks_newest_first": tasks.newest_first(),
        "tasks_by_status": tasks.waiting().filter(model="m").order_by("created"),
        "tasks_by_end": tasks.filter(status=TaskStatus.COMPLETED, model="m").order_by(
            "-finished_at"
        ),
        "one_event_per_seq": TaskEvent.objects.filter(task=task, seq__gt=3).order_by("seq"),
    }

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # it would rather read a table of one row whole, and sort it
            cursor.execute("set local enable_seqscan = off; set local enable_bitmapscan = off")
    for index, query in plans.items():
        plan = query.explain().upper()
        assert "INDEX" in plan, plan
        assert index.upper() in plan or index == "one_event_per_seq", plan
        assert "TEMP B-TREE" not in plan, plan
        assert "SORT" not in plan, plan


def test_the_studio_page_asks_as_often_for_twenty_cards_as_for_two(
    alice: User, now: datetime
) -> None:
    client = Client()
    client.force_login(alice)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            client.get("/")
        return len(captured)

    for _each in range(2):
        submit(alice, now)
    few = queries()
    for _each in range(18):
        submit(alice, now)

    assert queries() == few
    assert len(selectors.recent_cards(alice, now=now)) == 20
