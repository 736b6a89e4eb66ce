"""Two at once: whatever the order, nothing hangs and nothing is doubled."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier, Thread
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from generation import services
from generation.choices import InterruptReason, TaskStatus
from generation.models import GenerationTask, ModelSlot, Worker
from generation.protocol import Generate
from tests.conftest import serve_model
from tests.services.test_running import claim_one, interrupt, settle
from tests.services.test_submitting import submit

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 12


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Make the calls in as many threads, started together; their results, or raise."""
    barrier = Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(number: int, call: Callable[[], Any]) -> None:
        try:
            barrier.wait()
            results[number] = call()
        except Exception as error:  # noqa: BLE001  raised again in the test's own thread
            results[number] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


def test_a_cancel_in_the_moment_the_slot_is_freed_is_never_forgotten(
    alice: User, model: str, worker: Worker, now: datetime
) -> None:
    for _round in range(ROUNDS):
        task = submit(alice, now)
        claim = claim_one(worker, now)
        interrupt(claim, InterruptReason.HANDED_BACK, now)

        at_once(
            partial(settle, claim, now),
            partial(services.request_cancel, task_id=task.pk, now=now),
        )

        task.refresh_from_db()
        assert task.status == TaskStatus.CANCELLED


def test_two_workers_never_claim_the_same_task(alice: User, worker: Worker, now: datetime) -> None:
    serve_model(now=now, slots=4)
    for _each in range(8):
        submit(alice, now)

    claims = at_once(*[partial(services.claim, worker_id=worker.pk, now=now)] * 4)

    tasks = [claim.task.pk for claim in claims if claim is not None]
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


def test_an_expired_slot_is_taken_over_once(
    alice: User, model: str, worker: Worker, now: datetime
) -> None:
    for _round in range(ROUNDS):
        task = submit(alice, now)
        claim_one(worker, now)
        later = now + timedelta(seconds=31)

        taken = at_once(*[partial(services.expire_leases, worker_id=worker.pk, now=later)] * 2)

        assert sum(len(each) for each in taken) == 1
        (slot,) = [slot for each in taken for slot in each]
        services.settle_slot(
            slot_id=slot.slot_id, task_id=slot.task_id, attempt=slot.attempt, now=now
        )
        services.request_cancel(task_id=task.pk, now=now)
