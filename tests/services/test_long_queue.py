"""The order of any queue, and the positions in one of more than NUMBERED_TASKS."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import example, given, settings
from hypothesis import strategies as st

from generation import selectors, services
from generation.choices import InterruptReason, TaskStatus
from generation.limits import NUMBERED_TASKS
from generation.models import GenerationTask, ModelSlot, Worker
from generation.selectors.queue.order import NEVER
from tests.conftest import MODEL, serve_model
from tests.factories import claim_one, complete, interrupt, settle, submit
from tests.query_plans import analyze, plan_of
from tests.rows import copies
from tests.services.queues import SECOND, every_queue, fill, rolled_back, shown

pytestmark = pytest.mark.django_db

BEHIND = NUMBERED_TASKS + 1
KINDS = ("ready", "paused", "has paused", "held", "cancelled", "running", "elsewhere", "done")
WEIGHTED = ("ready",) * 6 + KINDS
"""What a task may be; mostly it is just queued."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A task as Hypothesis draws it: `second` and `claimed` are few, so that many are equal."""

    owner: int
    kind: str = "ready"
    second: int = 0
    claimed: int | None = None
    """When a worker last claimed it, if ever."""
    elsewhere: bool = False
    """Its slot, if it has one, is of another model."""


drawn_tasks = st.builds(
    Drawn,
    owner=st.integers(0, 4),
    kind=st.sampled_from(WEIGHTED),
    second=st.integers(-5, 0),
    claimed=st.sampled_from((None,) * 8 + (-2, -1)),
    elsewhere=st.booleans(),
)


def write(task: GenerationTask, people: list[User], queue: list[Drawn], now: datetime) -> None:
    """The drawn rows, and a slot for those that have one."""
    rows = copies(task, [columns(drawn, people, now) for drawn in queue])
    slots = [
        ModelSlot(
            model="another-model" if drawn.elsewhere else MODEL,
            number=100 + number,
            task=row,
            lease_until=now,
        )
        for number, (drawn, row) in enumerate(zip(queue, rows, strict=True))
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


def taken_one_by_one(now: datetime) -> list[uuid.UUID]:
    """Keys in the order in which a claim at a time would take them, if no task ended meanwhile."""
    tasks = list(GenerationTask.objects.order_by("created", "pk"))
    slots = list(ModelSlot.objects.filter(task__isnull=False).select_related("task"))
    running = Counter(slot.task.owner_id for slot in slots if slot.task)
    held = {slot.task_id for slot in slots}
    served: dict[int, datetime] = {}
    for task in tasks:
        last = served.get(task.owner_id, NEVER)
        served[task.owner_id] = max(last, task.claimed_at or NEVER)
    queued = [
        task
        for task in tasks
        if task.model == MODEL and task.status == TaskStatus.QUEUED and task.pk not in held
        if task.cancel_requested_at is None and (task.retry_at is None or task.retry_at <= now)
    ]
    order = []
    while queued:
        firsts = {task.owner_id: task for task in reversed(queued)}
        owner = min(firsts, key=lambda pk: (running[pk], served[pk], firsts[pk].created, pk))
        order.append(firsts[owner].pk)
        queued.remove(firsts[owner])
        running[owner] += 1
        served[owner] = now + len(order) * SECOND
    return order


@settings(every_queue, max_examples=80)
@given(queue=st.lists(drawn_tasks, max_size=30), count=st.integers(1, 8))
# an owner whose only task pauses is next as far as a new task is concerned
@example(queue=[Drawn(0, "paused", -5), Drawn(1, second=-3)], count=1)
# of two owners that were never served one came first, but with a task that pauses
@example(queue=[Drawn(0, "paused", -5), Drawn(0, second=-1), Drawn(1, second=-3)], count=2)
@example(queue=[Drawn(0, second=-5), Drawn(0, second=-1), Drawn(1, second=-3)], count=2)
# two that were served in the same moment
@example(queue=[Drawn(0, second=-1, claimed=-1), Drawn(1, second=-3, claimed=-1)], count=1)
def test_tasks_are_next_and_shown_in_the_order_of_single_claims(
    worker: Worker, now: datetime, queue: list[Drawn], count: int
) -> None:
    with rolled_back():
        serve_model(now=now)
        people = [User.objects.create_user(f"person-{k}") for k in range(6)]
        template = submit(people[5], now)
        write(template, people, queue, now)
        GenerationTask.objects.filter(pk=template.pk).delete()

        order = taken_one_by_one(now)

        assert selectors.next_tasks(MODEL, now, count=count) == order[:count]
        keys = list(map(str, GenerationTask.objects.values_list("pk", flat=True)))
        positions = selectors.queue_positions(keys, now=now)
        here = GenerationTask.objects.claimable().filter(model=MODEL)
        in_order = sorted(
            (positions[str(key)]["position"], key) for key in here.values_list("pk", flat=True)
        )
        assert [position for position, _key in in_order] == list(range(1, len(in_order) + 1))
        assert [key for _position, key in in_order[: len(order)]] == order


@pytest.fixture
def long_queue(owners: list[User], worker: Worker, now: datetime) -> list[User]:
    """The owners of more than NUMBERED_TASKS; one of them runs a task, and one pauses."""
    serve_model(now=now, slots=5)
    fill(owners, [0, 1, 2, 0], now)
    drawn, interrupted, _running = (claim_one(worker, now + (10 + k) * SECOND) for k in range(3))
    complete(drawn, now + 20 * SECOND)
    interrupt(interrupted, InterruptReason.MODEL_DOWN, now + 60 * SECOND)
    settle(interrupted, now + 60 * SECOND)
    copies(
        GenerationTask.objects.waiting().get(owner=owners[0]),
        (
            {"owner_id": owner.pk, "created": now + (30 + k % 7) * SECOND}
            for k in range(NUMBERED_TASKS // 3 + 100)
            for owner in owners
        ),
    )
    return owners


def test_the_first_1000_are_numbered(long_queue: list[User], worker: Worker, now: datetime) -> None:
    at = now + 60 * SECOND
    order = list(map(str, taken_one_by_one(at)))
    keys = [str(key) for key in GenerationTask.objects.waiting().values_list("pk", flat=True)]

    positions = selectors.queue_positions(keys, now=at)
    claimed = [claim_one(worker, at + k * SECOND / 100).task.pk for k in range(4)]

    assert len(keys) == len(order) + 1  # one pauses
    assert [positions[key]["position"] for key in order[:NUMBERED_TASKS]] == list(range(1, BEHIND))
    behind = [positions[key] for key in positions.keys() - set(order[:NUMBERED_TASKS])]
    assert len(behind) == len(keys) - NUMBERED_TASKS
    assert {each["position"] for each in behind} == {BEHIND}
    assert list(map(str, claimed)) == order[:4]


def test_claims_together_keep_order(long_queue: list[User], worker: Worker, now: datetime) -> None:
    serve_model(now=now + 60 * SECOND, slots=12)
    order = taken_one_by_one(now + 60 * SECOND)

    claims = services.claim(worker_id=worker.pk, now=now + 60 * SECOND, most=8)

    assert [claim.task.pk for claim in claims] == order[:8]


def test_unnumbered_tasks_share_an_estimate(long_queue: list[User], now: datetime) -> None:
    at = now + 60 * SECOND
    serve_model(now=at, slots=5)
    services.register_worker(host="here", pid=2, version="", now=at)
    order = list(map(str, taken_one_by_one(at)))
    length = len(order) + 1

    positions = selectors.queue_positions(order, now=at)

    first, last, behind = (positions[order[k]]["eta_seconds"] for k in (0, NUMBERED_TASKS - 1, -1))
    assert first is not None
    assert last is not None
    assert behind is not None
    # all tasks take the same time, and four of five slots are free
    rate = NUMBERED_TASKS / (last - first)
    assert behind == pytest.approx(length / rate, rel=0.02)
    assert positions[order[NUMBERED_TASKS]]["eta_seconds"] == behind


def test_a_new_task_gets_its_owners_turn(long_queue: list[User], now: datetime) -> None:
    at = now + 60 * SECOND
    newcomer = User.objects.create_user("dora")

    def expected(owner: User) -> int:
        return selectors.model_offers(owner.pk, now=at)[0]["wait"]["position"]

    def real(owner: User) -> int:
        task = str(submit(owner, at).pk)
        return selectors.queue_positions([task], now=at)[task]["position"]

    assert (expected(newcomer), expected(long_queue[0])) == (1, BEHIND)
    assert (real(newcomer), real(long_queue[0])) == (1, BEHIND)
    assert 1 < expected(newcomer) < 10


@pytest.mark.parametrize("more", [0, 1])
def test_a_position_is_left_out_only_behind_the_thousandth(
    owners: list[User], worker: Worker, now: datetime, more: int
) -> None:
    serve_model(now=now)
    task = submit(owners[0], now)
    copies(task, ({"owner_id": owners[k % 2].pk} for k in range(NUMBERED_TASKS - 1 + more)))
    keys = [str(key) for key in GenerationTask.objects.values_list("pk", flat=True)]

    positions = selectors.queue_positions(keys, now=now)

    assert sorted(each["position"] for each in positions.values()) == list(range(1, BEHIND + more))


def test_paused_tasks_have_positions(owners: list[User], worker: Worker, now: datetime) -> None:
    serve_model(now=now)
    task = submit(owners[0], now)
    pauses = {"retry_at": now + SECOND}
    copies(task, ({**pauses, "owner_id": owners[k % 2].pk} for k in range(NUMBERED_TASKS - 1)))
    GenerationTask.objects.filter(pk=task.pk).update(**pauses)

    assert selectors.next_tasks(MODEL, now) == []
    assert shown(now) == list(map(str, taken_one_by_one(now + SECOND)))


def test_next_tasks_need_an_index(long_queue: list[User], worker: Worker, now: datetime) -> None:
    """However long the queue and the history are: no statement reads all of either."""
    analyze("generation_generationtask")
    with CaptureQueriesContext(connection) as captured:
        assert selectors.next_tasks(MODEL, now + 60 * SECOND)

    # claimable tasks, running tasks, owners, and the first task of the next owner
    assert len(captured) == 4
    owners, first = (plan_of(query["sql"]) for query in captured.captured_queries[2:])
    assert "tasks_last_served" in owners
    slow = ("Seq Scan on generation_generationtask", "SCAN generation", "SCAN task")
    assert not any(scan in plan for scan in slow for plan in (owners, first))
    if connection.vendor == "sqlite":
        # of a table that is nearly all queue PostgreSQL takes the owner's own index
        assert owners.count("COVERING INDEX tasks_by_status") == 3


def test_unserved_owners_cost_no_query(alice: User, worker: Worker, now: datetime) -> None:
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
        keys = selectors.next_tasks(MODEL, now)

    assert keys == taken_one_by_one(now)[:1]
    assert len(captured) == 4
