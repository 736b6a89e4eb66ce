"""The order of the queue: fairness between owners, and the shown position."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from generation import selectors, services
from generation.choices import InterruptReason
from generation.models import Worker
from generation.selectors.queue.order import first_of_each
from tests.conftest import MODEL, serve_model
from tests.factories import claim_one, complete, interrupt, settle, submit
from tests.services.queues import SECOND, every_queue, fill, fill_after, rolled_back, shown

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("model")]


def test_owners_take_turns_after_many(owners: list[User], worker: Worker, now: datetime) -> None:
    alice, bob, _carol = owners
    fill([alice], [0] * 100, now)
    late = submit(bob, now + 200 * SECOND)

    order = []
    for second in range(3):
        claim = claim_one(worker, now + (300 + second) * SECOND)
        order.append(claim.task.pk)
        complete(claim, now + (300 + second) * SECOND)

    assert late.pk in order[:2]


def test_the_least_recently_served_first(owners: list[User], worker: Worker, now: datetime) -> None:
    served = []
    fill(owners, [0, 1, 2], now)
    for second in range(3):
        claim = claim_one(worker, now + (10 + second) * SECOND)
        complete(claim, now + (10 + second) * SECOND)
    fill(owners, [2, 1, 0], now + 60 * SECOND)
    for second in range(3):
        claim = claim_one(worker, now + (90 + second) * SECOND)
        served.append(claim.task.owner)
        complete(claim, now + (90 + second) * SECOND)

    assert served == owners


def test_fewest_running_tasks_first(owners: list[User], worker: Worker, now: datetime) -> None:
    alice, bob, _carol = owners
    serve_model(now=now, name="other")
    submit(alice, now, model="other")
    claim_one(worker, now)
    serve_model(now=now)
    submit(alice, now + SECOND)
    second = submit(bob, now + 2 * SECOND)

    assert claim_one(worker, now + 3 * SECOND).task.pk == second.pk


def test_one_owner_is_first_come_first(owners: list[User], worker: Worker, now: datetime) -> None:
    tasks = [submit(owners[0], now + k * SECOND) for k in range(4)]
    order = []
    for second in range(4):
        claim = claim_one(worker, now + (9 + second) * SECOND)
        order.append(claim.task.pk)
        complete(claim, now + (9 + second) * SECOND)

    assert order == [task.pk for task in tasks]


def test_an_owner_who_comes_while_the_queue_is_read_has_no_position_yet(
    owners: list[User], now: datetime
) -> None:
    alice, bob, _carol = owners
    known, late = submit(alice, now), submit(bob, now + SECOND)
    values = (MODEL, connection.ops.adapt_datetimefield_value(now))

    for owner_ids, found in (([alice.pk], {known.pk}), ([alice.pk, bob.pk], {known.pk, late.pk})):
        assert {row[2] for row in first_of_each(owner_ids, None, values, False)} == found


def test_a_paused_task_is_passed(owners: list[User], worker: Worker, now: datetime) -> None:
    paused = submit(owners[0], now)
    claim = claim_one(worker, now)
    interrupt(claim, InterruptReason.MODEL_DOWN, now)
    settle(claim, now)
    other = submit(owners[0], now)

    assert shown(now) == [str(other.pk), str(paused.pk)]
    assert claim_one(worker, now).task.pk == other.pk
    assert not services.claim(worker_id=worker.pk, now=now)
    assert selectors.next_tasks(MODEL, now + SECOND) == [paused.pk]


@every_queue
@given(
    arrivals=st.lists(st.integers(0, 2), min_size=1, max_size=12),
    before=st.lists(st.integers(0, 2), max_size=5),
    busy=st.integers(0, 3),
)
def test_the_shown_position_is_the_claim_order_while_calls_go_on(
    owners: list[User],
    worker: Worker,
    now: datetime,
    arrivals: list[int],
    before: list[int],
    busy: int,
) -> None:
    with rolled_back():
        at = fill_after(owners, worker, now, arrivals, before, busy)

        positions = shown(at)
        order = [str(claim_one(worker, at + k * SECOND).task.pk) for k in range(len(arrivals))]

        assert order == positions


@every_queue
@given(
    arrivals=st.lists(st.integers(0, 2), min_size=1, max_size=12),
    busy=st.lists(st.integers(0, 2), max_size=3),
    together=st.integers(2, 5),
)
def test_tasks_claimed_together_are_those_of_single_claims(
    owners: list[User],
    worker: Worker,
    now: datetime,
    arrivals: list[int],
    busy: list[int],
    together: int,
) -> None:
    with rolled_back():
        at = fill_after(owners, worker, now, arrivals, busy, len(busy))

        positions = shown(at)
        while positions:
            claims = services.claim(worker_id=worker.pk, now=at, most=together)
            assert [str(claim.task.pk) for claim in claims] == positions[:together]
            positions, at = positions[together:], at + SECOND


@every_queue
@given(
    arrivals=st.lists(st.integers(0, 2), min_size=1, max_size=12),
    before=st.lists(st.integers(0, 2), max_size=4),
)
def test_the_shown_position_is_the_claim_order_on_one_slot_one_after_the_other(
    owners: list[User], worker: Worker, now: datetime, arrivals: list[int], before: list[int]
) -> None:
    with rolled_back():
        serve_model(now=now)
        fill(owners, before, now)
        for k in range(len(before)):
            complete(claim_one(worker, now + (20 + k) * SECOND), now + (20 + k) * SECOND)
        fill(owners, arrivals, now + 50 * SECOND)

        positions, order = shown(now + 80 * SECOND), []
        for k in range(len(arrivals)):
            claim = claim_one(worker, now + (80 + k) * SECOND)
            order.append(str(claim.task.pk))
            complete(claim, now + (80 + k) * SECOND)

        assert order == positions
