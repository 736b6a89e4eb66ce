"""Hot queries use their index, and pages do not ask once per row."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from generation import selectors
from generation.choices import TaskStatus
from generation.models import GenerationTask, TaskEvent
from generation.selectors import GalleryFilter
from generation.selectors.gallery import cursor_of
from tests.services.test_submitting import submit

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


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


def test_the_gallery_reads_a_page_of_many_thousand_tasks_by_its_index(
    alice: User, bob: User, now: datetime
) -> None:
    task = submit(alice, now)
    values = {field.attname: getattr(task, field.attname) for field in task._meta.fields}
    GenerationTask.objects.bulk_create(
        GenerationTask(
            **{**values, "id": uuid.uuid4(), "owner_id": owner.pk, "created": now - k * SECOND}
        )
        for k in range(2_500)
        for owner in (alice, bob)
    )
    middle = GenerationTask.objects.filter(owner=alice).newest_first()[1_200]
    cursor = cursor_of(middle)

    with CaptureQueriesContext(connection) as captured:
        page = selectors.gallery_page(alice, GalleryFilter(), cursor)

    assert len(page["items"]) == 60
    assert len(captured) == 3  # tasks, pictures, names of models
    with connection.cursor() as database:
        explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
        if connection.vendor == "postgresql":
            database.execute("ANALYZE generation_generationtask")
        database.execute(f"{explain} {captured[0]['sql']}")
        plan = str(database.fetchall())
    # of two people who drew the same amount the index of all tasks finds a page as fast
    assert "tasks_of_owner" in plan or "tasks_newest_first" in plan
    assert not any(slow in plan for slow in ("TEMP B-TREE", "Sort", "Seq Scan", "SCAN"))


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
