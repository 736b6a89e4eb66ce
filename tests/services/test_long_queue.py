"""A long queue is counted by owner, with the same order."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import example, given, settings
from hypothesis import strategies as st

from generation import selectors
from generation.choices import InterruptReason, TaskStatus
from generation.models import GenerationTask, ModelSlot, Worker
from generation.protocol import QueuePosition
from generation.selectors.queue.order import (
    NEVER,
    NUMBERED_TASKS,
    next_ready,
    queue_order,
    running_by_owner,
)
from generation.selectors.queue.positions import LongQueue, ShortQueue, read_queue
from generation.selectors.queue.shares import read_shares
from generation.selectors.served_models import ModelRow
from tests.conftest import MODEL, serve_model
from tests.factories import claim_one, interrupt, settle, submit
from tests.query_plans import plan_of
from tests.services.queues import (
    SECOND,
    end,
    every_line,
    fill,
    in_a_world_of_its_own,
    shown,
)

pytestmark = pytest.mark.django_db

KINDS = ("ready", "paused", "has paused", "held", "cancelled", "running", "elsewhere", "done")
WEIGHTED = ("ready",) * 6 + KINDS
"""What a task may be; mostly it just waits."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A task as Hypothesis draws it: `second` and `claimed` are few, so that many are equal."""

    owner: int
    kind: str
    second: int
    claimed: int | None
    """When it was taken by a worker, if ever."""
    elsewhere: bool
    """Its slot, if it has one, is another model's."""


drawn_tasks = st.builds(
    Drawn,
    owner=st.integers(0, 4),
    kind=st.sampled_from(WEIGHTED),
    second=st.integers(-5, 0),
    claimed=st.sampled_from((None,) * 8 + (-2, -1)),
    elsewhere=st.booleans(),
)


def waits(owner: int, second: int, kind: str = "ready", claimed: int | None = None) -> Drawn:
    return Drawn(owner=owner, kind=kind, second=second, claimed=claimed, elsewhere=False)


def copies(task: GenerationTask, changes: Iterable[dict[str, Any]]) -> list[GenerationTask]:
    """Rows like that of `task` but for what `changes` say of each."""
    values = {field.attname: getattr(task, field.attname) for field in task._meta.fields}
    return GenerationTask.objects.bulk_create(
        GenerationTask(**{**values, "id": uuid.uuid4(), "request_key": None, **change})
        for change in changes
    )


def write(task: GenerationTask, people: list[User], line: list[Drawn], now: datetime) -> None:
    """The drawn rows, and a slot for those that have one."""
    rows = copies(task, [columns(drawn, people, now) for drawn in line])
    slots = [
        ModelSlot(
            model="another-model" if drawn.elsewhere else MODEL,
            number=100 + number,
            task=row,
            lease_until=now,
        )
        for number, (drawn, row) in enumerate(zip(line, rows, strict=True))
        if drawn.kind in ("held", "cancelled", "running")
    ]
    ModelSlot.objects.bulk_create(slots)


def columns(drawn: Drawn, people: list[User], now: datetime) -> dict[str, Any]:
    claimed = None if drawn.claimed is None else now + drawn.claimed * SECOND
    common = {
        "owner_id": people[drawn.owner].pk,
        "created": now + drawn.second * SECOND,
        "claimed_at": claimed,
    }
    special: dict[str, dict[str, Any]] = {
        "paused": {"retry_at": now + SECOND},
        "has paused": {"retry_at": now - SECOND},
        "cancelled": {"cancel_requested_at": now},
        "running": {"status": TaskStatus.RUNNING, "claimed_at": claimed or now},
        "elsewhere": {"model": "another-model"},
        "done": {"status": TaskStatus.COMPLETED, "progress": 100, "finished_at": now},
    }
    return {**common, **special.get(drawn.kind, {})}


def numbered(now: datetime) -> list[str]:
    """Every task that has a place, in order, by the definition."""
    return [str(key) for key in queue_order(MODEL, now).values_list("pk", flat=True)]


def both_lines(lanes: list[float], now: datetime) -> tuple[ShortQueue, LongQueue | None]:
    """The same queue, computed by task and by shares; None if all its tasks pause."""
    row: ModelRow = {"name": MODEL, "ready": True, "replicas": 1, "reason": "in_line"}
    running = running_by_owner()
    short = read_queue(row, lanes, running, now, short=10_000)
    long = read_queue(row, lanes, running, now, short=0)
    assert isinstance(short, ShortQueue)
    return short, long if isinstance(long, LongQueue) else None


def assert_same(one: dict[str, QueuePosition], other: dict[str, QueuePosition]) -> None:
    assert one.keys() == other.keys()
    for key, place in one.items():
        eta = pytest.approx(other[key]["eta_seconds"], abs=0.11)
        assert place == {**other[key], "eta_seconds": eta}


@settings(every_line, max_examples=80)
@given(line=st.lists(drawn_tasks, max_size=30), lanes=st.lists(st.floats(0, 100), max_size=4))
# an owner whose only task pauses is next as far as a new task is concerned
@example(line=[waits(0, -5, "paused"), waits(1, -3)], lanes=[])
# of two who were never served one came first, but with a task that pauses
@example(line=[waits(0, -5, "paused"), waits(0, -1), waits(1, -3)], lanes=[])
@example(line=[waits(0, -5), waits(0, -1), waits(1, -3)], lanes=[])
# two who were served in the same moment
@example(line=[waits(0, -1, claimed=-1), waits(1, -3, claimed=-1)], lanes=[])
def test_counted_by_owners_it_is_the_line_that_is_numbered_task_by_task(
    worker: Worker, now: datetime, line: list[Drawn], lanes: list[float]
) -> None:
    def act() -> None:
        serve_model(now=now)
        people = [User.objects.create_user(f"person-{k}") for k in range(6)]
        template = submit(people[5], now)
        write(template, people, line, now)
        GenerationTask.objects.filter(pk=template.pk).delete()

        keys = numbered(now)
        first = next(iter(selectors.next_tasks(MODEL, now)), None)
        shares = read_shares(MODEL, now, running=running_by_owner())
        short, long = both_lines(lanes, now)

        assert next_ready(MODEL, now) == first
        wanted = {str(key) for key in GenerationTask.objects.values_list("pk", flat=True)[::2]}
        there = {key: before for before, key in enumerate(keys) if key in wanted}
        assert dict(shares.positions(wanted)) == there
        if long is None:
            assert first is None
            return
        assert_same(short.positions(set(keys)), long.positions(set(keys)))
        forecast = selectors.read_forecast(now=now, owners=[each.pk for each in people])
        for person in people:
            told = [
                told_line.next_position(
                    person.pk,
                    running=forecast.running[person.pk],
                    served=forecast.served.get(person.pk, NEVER),
                    now=now,
                )
                for told_line in (short, long)
            ]
            assert_same({"new": told[0]}, {"new": told[1]})

    in_a_world_of_its_own(act)


@pytest.fixture
def long_queue(owners: list[User], worker: Worker, now: datetime) -> list[User]:
    """Three people with more than SHORT tasks together; one of them runs, and one pauses."""
    serve_model(now=now, slots=5)
    fill(owners, [0, 1, 2, 0], now)
    drawn, interrupted, _running = (claim_one(worker, now + (10 + k) * SECOND) for k in range(3))
    end(drawn, now + 20 * SECOND)
    interrupt(interrupted, InterruptReason.MODEL_DOWN, now + 60 * SECOND)
    settle(interrupted, now + 60 * SECOND)
    copies(
        GenerationTask.objects.waiting().get(owner=owners[0]),
        (
            {"owner_id": owner.pk, "created": now + (30 + k % 7) * SECOND}
            for k in range(NUMBERED_TASKS // 3 + 1)
            for owner in owners
        ),
    )
    return owners


def test_the_shown_place_in_a_long_line_is_the_claim_order(
    long_queue: list[User], worker: Worker, now: datetime
) -> None:
    at = now + 60 * SECOND
    by_definition = numbered(at)

    places = shown(at)
    order = [str(claim_one(worker, at + k * SECOND / 100).task.pk) for k in range(4)]

    assert places == by_definition
    assert order == places[:4]


def test_far_back_in_a_long_line_the_wait_is_that_of_tasks_told_one_by_one(
    long_queue: list[User], now: datetime
) -> None:
    """All of them take the same time, of which the shares know only the mean."""
    at = now + 60 * SECOND
    keys = numbered(at)
    short, long = both_lines([0.0, 3.0, 50.0], at)

    assert len(keys) > NUMBERED_TASKS
    assert long is not None
    assert_same(short.positions(set(keys)), long.positions(set(keys)))


def test_a_task_that_came_after_the_line_was_counted_has_a_place_too(
    long_queue: list[User], now: datetime
) -> None:
    at = now + 60 * SECOND
    shares = read_shares(MODEL, at, running=running_by_owner())
    newcomer, other = submit(User.objects.create_user("dora"), at), submit(long_queue[0], at)

    places = dict(shares.positions([str(newcomer.pk), str(other.pk)]))

    assert places[str(newcomer.pk)] == 0
    assert places[str(other.pk)] > 0


def test_if_all_tasks_of_a_long_line_pause_they_have_their_places_and_nobody_is_next(
    owners: list[User], worker: Worker, now: datetime
) -> None:
    serve_model(now=now)
    task = submit(owners[0], now)
    pauses = {"retry_at": now + SECOND}
    copies(task, ({**pauses, "owner_id": owners[k % 2].pk} for k in range(NUMBERED_TASKS)))
    GenerationTask.objects.filter(pk=task.pk).update(**pauses)

    assert shown(now) == numbered(now)
    assert selectors.next_tasks(MODEL, now) == []


def test_the_next_of_a_long_line_is_found_in_an_index(
    long_queue: list[User], worker: Worker, now: datetime
) -> None:
    """However long the line and the history are: no statement reads all of either."""
    if connection.vendor == "postgresql":
        with connection.cursor() as database:
            database.execute("ANALYZE generation_generationtask")
    with CaptureQueriesContext(connection) as captured:
        assert next_ready(MODEL, now + 60 * SECOND) is not None

    # running owners, last claims, and the first task of the next owner
    assert len(captured) == 3
    turns, first = (plan_of(query["sql"]) for query in captured.captured_queries[1:])
    assert "tasks_last_served" in turns
    slow = ("Seq Scan on generation_generationtask", "SCAN generation", "SCAN task")
    assert not any(way in plan for way in slow for plan in (turns, first))
    if connection.vendor == "sqlite":
        # of a table that is nearly all line PostgreSQL takes the owner's own index
        assert turns.count("COVERING INDEX tasks_by_status") == 3
        assert "TEMP B-TREE" not in first


def test_of_many_who_were_never_served_only_the_first_one_is_asked_for_his_task(
    alice: User, worker: Worker, now: datetime
) -> None:
    task = submit(alice, now)
    people = User.objects.bulk_create(User(username=f"person-{k}") for k in range(50))
    copies(
        task,
        (
            {"owner_id": person.pk, "created": now - k * 7 % 50 * SECOND}
            for k, person in enumerate(people)
        ),
    )

    with CaptureQueriesContext(connection) as captured:
        first = next_ready(MODEL, now)

    assert [first] == selectors.next_tasks(MODEL, now)
    assert len(captured) == 3
