"""Frequent queries use their index, and pages have no query per row."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from math import ceil

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from generation import selectors, services
from generation.choices import LimitKind, RetentionKind, TaskStatus
from generation.models import GenerationTask, RetentionRule, TaskEvent
from generation.selectors import GalleryFilter
from generation.selectors.gallery import write_cursor
from generation.selectors.retention_due import TRASH_AT_ONCE
from tests.factories import finished_task, put_in_trash, submit
from tests.pages.page_clients import signed_in
from tests.query_plans import count_queries, plan_of

pytestmark = pytest.mark.django_db


def test_hot_queries_use_their_index(alice: User, now: datetime) -> None:
    task = submit(alice, now)
    tasks = GenerationTask.objects
    plans = {
        "tasks_of_owner": tasks.filter(owner=alice).newest_first(),
        "tasks_newest_first": tasks.newest_first(),
        "tasks_by_status": tasks.waiting().filter(model="m").order_by("owner", "created"),
        "tasks_by_end": tasks.filter(status=TaskStatus.COMPLETED, model="m").order_by(
            "-finished_at"
        ),
        "one_event_per_seq": TaskEvent.objects.filter(task=task, seq__gt=3).order_by("seq"),
    }

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # it would rather read a table of one row whole, and sort it
            for way in ("seqscan", "bitmapscan", "sort"):
                cursor.execute(f"set local enable_{way} = off")
    for index, query in plans.items():
        plan = query.explain().upper()
        assert "INDEX" in plan, plan
        assert index.upper() in plan or index == "one_event_per_seq", plan
        assert "TEMP B-TREE" not in plan, plan
        assert "SORT" not in plan, plan


def test_a_gallery_page_is_read_by_its_index(alice: User, history: list[GenerationTask]) -> None:
    cursor = write_cursor((history[1_200].created, history[1_200].pk))

    with CaptureQueriesContext(connection) as captured:
        page = selectors.gallery_page(alice, GalleryFilter(), cursor)

    assert len(page["items"]) == 60
    assert len(captured) == 3  # tasks, pictures, names of models
    plan = plan_of(captured[0]["sql"], many_rows=True)
    # of two people who drew the same amount the index of all tasks finds a page as fast
    assert "tasks_of_owner" in plan or "tasks_newest_first" in plan
    assert not any(slow in plan for slow in ("TEMP B-TREE", "Sort", "Seq Scan", "SCAN"))


def test_cards_need_no_history(alice: User, now: datetime, history: list[GenerationTask]) -> None:
    with CaptureQueriesContext(connection) as captured:
        cards = selectors.recent_cards(alice, now=now)

    assert [card["id"] for card in cards[3:]] == [str(task.pk) for task in history[:27]]
    assert [card["state"]["status"] for card in cards[:3]] == ["queued"] * 3
    created = [card["task"]["created"] for card in cards[:3]]
    assert created == sorted(created)
    unfinished, over = (plan_of(query["sql"]) for query in captured.captured_queries[:2])
    # three indexes begin with the status, and it is rare
    by_status = ("tasks_of_owner_by_status", "tasks_by_status", "tasks_by_end")
    assert any(index in unfinished for index in by_status)
    assert "tasks_of_owner" in over or "tasks_newest_first" in over
    assert not any(slow in over for slow in ("TEMP B-TREE", "Sort", "Seq Scan", "SCAN"))


def test_a_queue_read_skips_ended_tasks(now: datetime, history: list[GenerationTask]) -> None:
    queued = GenerationTask.objects.waiting().values_list("pk", flat=True)
    keys = [str(key) for key in queued]
    with CaptureQueriesContext(connection) as captured:
        positions = selectors.queue_positions(keys, now=now)

    assert len(positions) == 3
    statements = [query["sql"] for query in captured.captured_queries]
    plans = [plan_of(sql) for sql in statements if "generationtask" in sql]
    assert len(plans) >= 4  # models, number of tasks, owners, first tasks
    slow = ("SCAN generation_generationtask", "SCAN task", "Seq Scan on generation_generationtask")
    assert not any(scan in plan for scan in slow for plan in plans)


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (GalleryFilter(favourite=True), "favourite_pictures"),
        (GalleryFilter(text="1004000"), "pictures_by_seed"),
    ],
    ids=["favourites", "a seed"],
)
def test_pictures_that_are_wanted_are_looked_up_once(
    alice: User, history: list[GenerationTask], wanted: GalleryFilter, index: str
) -> None:
    with CaptureQueriesContext(connection) as captured:
        page = selectors.gallery_page(alice, wanted, None)

    found = [item["task"] for item in page["items"]]
    assert found[-1] == str(history[2_000].pk)
    assert len(found) == (2 if wanted.favourite else 1)
    # a search may exclude any task, so the first query finds the boundary
    looked = captured.captured_queries[0 if wanted.favourite else 1]
    plan = plan_of(looked["sql"])
    assert index in plan, plan
    assert "CORRELATED" not in plan


def test_trash_is_read_by_index(alice: User, now: datetime, history: list[GenerationTask]) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert sum(services.purge_trash(now=now)) == 0

    # the first reads the shortest time of the rules
    tasks, pictures = (plan_of(query["sql"]) for query in captured.captured_queries[1:])
    assert "tasks_in_trash" in tasks
    assert "pictures_in_trash" in pictures


def trash_for_ever(owner: User, now: datetime, settings: Settings) -> Group:
    """Make old trash that stays, of the owner; returns a group whose trash is kept a day."""
    settings.RETENTION_TRASH = 0
    group = Group.objects.create(name="painters")
    RetentionRule.objects.create(group=group, kind=RetentionKind.TRASH, days=1)
    GenerationTask.objects.filter(owner=owner).update(deleted_at=now - timedelta(days=400))
    return group


def test_trash_that_stays_is_not_read(
    alice: User, now: datetime, history: list[GenerationTask], settings: Settings
) -> None:
    trash_for_ever(alice, now, settings)

    with CaptureQueriesContext(connection) as captured:
        assert sum(services.purge_trash(now=now)) == 0

    assert len(captured) == 3  # the shortest time, tasks, pictures


def test_trash_is_read_once(
    alice: User, bob: User, now: datetime, history: list[GenerationTask], settings: Settings
) -> None:
    """By all batches together, although the trash of one member of the group stays."""
    trash_for_ever(alice, now, settings).user_set.add(alice, bob)
    RetentionRule.objects.create(user=alice, kind=RetentionKind.TRASH, days=None)
    theirs = [finished_task(bob, now, pictures=0) for _each in range(60)]
    put_in_trash(bob, now - timedelta(days=2), tasks=theirs)
    in_trash = GenerationTask.objects.exclude(deleted_at=None).count()

    with CaptureQueriesContext(connection) as captured:
        assert list(services.purge_trash(now=now)) == [25, 25, 10]

    pages = [each for each in captured if f"LIMIT {TRASH_AT_ONCE}" in each["sql"]]
    # the last page and that of the pictures are empty
    assert len(pages) == ceil(in_trash / TRASH_AT_ONCE) + 2


def test_the_trash_of_an_owner_is_read_by_index(
    alice: User, now: datetime, history: list[GenerationTask]
) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert selectors.trash(alice, now=now).count == 0

    # the first reads how long it is kept
    plans = [plan_of(query["sql"]) for query in captured.captured_queries[1:]]
    assert len(plans) == 4  # tasks and pictures, and the number of each
    for plan in plans:
        assert "_in_trash" in plan, plan
        assert "tasks_of_owner" not in plan, plan


def test_studio_queries_do_not_grow_with_cards(alice: User, now: datetime) -> None:
    page = partial(signed_in(alice).get, "/")
    for _each in range(2):
        submit(alice, now)
    few = count_queries(page)
    for _each in range(18):
        submit(alice, now)

    assert count_queries(page) == few
    assert len(selectors.recent_cards(alice, now=now)) == 20


def test_limits_are_read_by_index(
    alice: User, bob: User, now: datetime, history: list[GenerationTask]
) -> None:
    with CaptureQueriesContext(connection) as captured:
        allowances = selectors.allowances_of([alice.pk, bob.pk], now=now)

    assert allowances[alice.pk][LimitKind.UNFINISHED].used == 3
    (statement,) = captured.captured_queries
    plan = plan_of(statement["sql"])
    assert not any(
        scan in plan
        for scan in ("SCAN generation_generationtask", "Seq Scan on generation_generationtask")
    )
    if connection.vendor == "sqlite":
        # those of one owner, not those of all
        assert "tasks_of_owner_by_status (owner_id=? AND status=?)" in plan, plan
