"""Concurrent calls: whatever the order, nothing blocks and nothing is doubled."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from generation import services
from generation.choices import InterruptReason, TaskStatus
from generation.error_codes import ErrorCode
from generation.exceptions import LimitReached, TransitionRefused
from generation.models import GenerationTask, ModelSlot, Worker
from generation.protocol import Generate
from generation.services import Claim
from tests.concurrency import at_once
from tests.conftest import serve_model
from tests.factories import claim_one, failed_task, finish, interrupt, kinds, settle, store, submit
from tests.rows import copies

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("model")]
ROUNDS = 12


def test_cancel_while_the_slot_is_freed(alice: User, worker: Worker, now: datetime) -> None:
    for _round in range(ROUNDS):
        task = submit(alice, now)
        claim = claim_one(worker, now)
        interrupt(claim, InterruptReason.HANDED_BACK, now)

        at_once(
            partial(settle, claim, now), partial(services.request_cancel, task_id=task.pk, now=now)
        )

        task.refresh_from_db()
        assert task.status == TaskStatus.CANCELLED


def test_two_workers_never_claim_the_same_task(alice: User, worker: Worker, now: datetime) -> None:
    serve_model(now=now, slots=4)
    for _each in range(8):
        submit(alice, now)

    found = at_once(*[partial(services.claim, worker_id=worker.pk, now=now, most=2)] * 4)

    tasks = [claim.task.pk for claims in found for claim in claims]
    assert len(tasks) == len(set(tasks))
    assert ModelSlot.objects.filter(task__isnull=False).count() == len(tasks)
    assert GenerationTask.objects.running().count() == len(tasks)


def test_the_same_request_key_at_the_same_moment_is_one_task(alice: User, now: datetime) -> None:
    for _round in range(ROUNDS):
        request = Generate(prompt="LiuJuan", request_key=uuid.uuid4())

        first, second = at_once(
            *[partial(services.submit, owner=alice, request=request, now=now)] * 2
        )

        assert first.task.pk == second.task.pk
        assert sorted([first.duplicate, second.duplicate]) == [False, True]


def test_an_expired_slot_is_taken_over_once(alice: User, worker: Worker, now: datetime) -> None:
    for _round in range(ROUNDS):
        task = submit(alice, now)
        claim_one(worker, now)
        later = now + timedelta(seconds=31)

        taken = at_once(*[partial(services.take_over_expired, worker_id=worker.pk, now=later)] * 2)

        assert sum(len(each) for each in taken) == 1
        (slot,) = [slot for each in taken for slot in each]
        settle(slot, now)
        services.request_cancel(task_id=task.pk, now=now)


def tried(call: Callable[[], Any]) -> bool:
    """Whether it was taken."""
    try:
        call()
    except TransitionRefused:
        return False
    return True


def other_worker(now: datetime) -> Worker:
    return services.register_worker(host="there", pid=2, version="test", now=now)


def end_of(task: GenerationTask, claim: Claim, now: datetime) -> list[str]:
    """Free the slot and give the log, so that the next round has the model to itself."""
    settle(claim, now)
    services.request_cancel(task_id=task.pk, now=now)
    return kinds(task.pk)


def test_workers_fill_exactly_all_slots(alice: User, worker: Worker, now: datetime) -> None:
    serve_model(now=now, slots=3)
    workers = [worker, other_worker(now)]
    for _each in range(9):
        submit(alice, now)

    def claim_all(me: Worker) -> list[Claim]:
        claims = []
        # a loser of five races in a row looks again, as a worker does
        for _look in range(6):
            claims += services.claim(worker_id=me.pk, now=now, most=2)
        return claims

    found = at_once(*[partial(claim_all, me) for me in workers * 2])
    claims = [claim for each in found for claim in each]

    assert len(claims) == 3
    assert len({claim.slot_id for claim in claims}) == 3
    assert len({claim.task.pk for claim in claims}) == 3


def test_heartbeat_during_a_take_over(alice: User, worker: Worker, now: datetime) -> None:
    """Two hosts whose clocks differ by a little see the same lease as alive and as expired."""
    other = other_worker(now)
    for _round in range(ROUNDS):
        task = submit(alice, now)
        claim = claim_one(worker, now)
        edge = now + timedelta(seconds=30)

        _told, taken = at_once(
            partial(
                services.heartbeat,
                worker_id=worker.pk,
                slot_ids=[claim.slot_id],
                draining=False,
                now=edge - timedelta(milliseconds=5),
            ),
            partial(
                services.take_over_expired, worker_id=other.pk, now=edge + timedelta(milliseconds=5)
            ),
        )

        slot = ModelSlot.objects.get(pk=claim.slot_id)
        task.refresh_from_db()
        assert slot.worker_id == (other.pk if taken else worker.pk)
        assert task.status == (TaskStatus.QUEUED if taken else TaskStatus.RUNNING)
        end_of(task, claim, now)


def test_completion_during_a_take_over(alice: User, worker: Worker, now: datetime) -> None:
    other = other_worker(now)
    for _round in range(ROUNDS):
        task = submit(alice, now)
        claim = claim_one(worker, now)
        store(claim, now)
        later = now + timedelta(seconds=31)

        completed, _taken = at_once(
            partial(tried, partial(finish, claim, later)),
            partial(services.take_over_expired, worker_id=other.pk, now=later),
        )

        log = end_of(task, claim, later)
        assert ("completed" in log) == completed
        assert ("interrupted" in log) == (not completed)


@pytest.mark.parametrize("end", ["complete", "fail", "interrupt"])
def test_an_end_during_a_cancel(alice: User, worker: Worker, now: datetime, end: str) -> None:
    """`interrupt`: the third time that counts, which fails the task."""
    for _round in range(ROUNDS):
        task = submit(alice, now)
        GenerationTask.objects.filter(pk=task.pk).update(failed_attempts=2)
        claim = claim_one(worker, now)
        store(claim, now)
        key: dict[str, Any] = {"task_id": task.pk, "attempt": 1, "now": now}
        ends = {
            "complete": partial(finish, claim, now),
            "fail": partial(services.fail, **key, code=ErrorCode.REQUEST_REFUSED, detail=""),
            "interrupt": partial(interrupt, claim, InterruptReason.STALLED, now),
        }

        _taken, answer = at_once(
            partial(tried, ends[end]), partial(services.request_cancel, task_id=task.pk, now=now)
        )
        settle(claim, now)

        task.refresh_from_db()
        log = kinds(task.pk)
        assert (task.status == TaskStatus.CANCELLED) == (answer == "requested")
        assert ("cancel_requested" in log) == (answer == "requested")


def test_claim_while_slots_are_removed(alice: User, worker: Worker, now: datetime) -> None:
    for _round in range(ROUNDS):
        serve_model(now=now, slots=2)
        tasks = [submit(alice, now), submit(alice, now)]
        first = claim_one(worker, now)

        _sized, second = at_once(
            partial(serve_model, now=now, slots=1),
            partial(services.claim, worker_id=worker.pk, now=now),
        )

        held = ModelSlot.objects.filter(task__isnull=False).values_list("pk", flat=True)
        assert set(held) == {claim.slot_id for claim in (first, *second)}
        for claim in (first, *second):
            settle(claim, now)
        for task in tasks:
            services.request_cancel(task_id=task.pk, now=now)


def test_simultaneous_submissions_do_not_pass_the_limit(alice: User, now: datetime) -> None:
    copies(submit(alice, now), [{}] * (settings.LIMIT_UNFINISHED - 3))

    with pytest.raises(LimitReached) as refused:
        at_once(*[partial(submit, alice, now)] * 6)

    assert refused.value.code == ErrorCode.TOO_MANY_WAITING
    assert GenerationTask.objects.unfinished().count() == settings.LIMIT_UNFINISHED


def test_a_repeated_submission_is_not_refused_by_its_own_task(alice: User, now: datetime) -> None:
    copies(submit(alice, now), [{}] * (settings.LIMIT_UNFINISHED - 2))

    tasks = at_once(*[partial(submit, alice, now, request_key=uuid.uuid4())] * 3)

    assert len({task.pk for task in tasks}) == 1


def test_a_retry_and_a_variation_of_one_task_do_not_block_each_other(
    alice: User, worker: Worker, now: datetime
) -> None:
    for _round in range(ROUNDS):
        parent = failed_task(alice, worker, now)

        retried, varied = at_once(
            partial(services.retry, task=parent, key=None, now=now),
            partial(submit, alice, now, parent=str(parent.pk)),
        )

        for task in (retried.task, varied):
            services.request_cancel(task_id=task.pk, now=now)
