"""Ends of attempts: fencing, reasons, counts and what they leave."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User

from generation import services
from generation.choices import InterruptReason, Route, Step, TaskStatus
from generation.exceptions import TransitionRefused
from generation.models import GenerationTask, Worker
from generation.services import Claim
from generation.services.retry_policy import MAX_ATTEMPTS
from tests.conftest import serve_model
from tests.factories import boundary, claim_one, finish, interrupt, kinds, settle, store, submit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("model")]


def end_attempt(worker: Worker, reason: InterruptReason, now: datetime) -> None:
    claim = claim_one(worker, now)
    interrupt(claim, reason, now)
    settle(claim, now)


def test_a_lost_lease_refuses_all_writes(alice: User, worker: Worker, now: datetime) -> None:
    submit(alice, now)
    old = claim_one(worker, now)
    other = services.register_worker(host="there", pid=2, version="test", now=now)
    later = now + timedelta(seconds=31)

    abandoned = services.take_over_expired(worker_id=other.pk, now=later)
    settle(abandoned[0], later)
    new = claim_one(other, later)
    before = GenerationTask.objects.get(pk=old.task.pk).newest_seq

    for write in (store, finish):
        with pytest.raises(TransitionRefused):
            write(old, later)
    with pytest.raises(TransitionRefused):
        interrupt(old, InterruptReason.STALLED, later)
    with pytest.raises(TransitionRefused):
        services.begin_call(
            task_id=old.task.pk,
            attempt=1,
            slot_id=old.slot_id,
            request_id=uuid.uuid4(),
            seed=1,
            boundary=boundary(Step.PREPARING),
            now=later,
        )
    assert not settle(old, later)
    task = GenerationTask.objects.get(pk=old.task.pk)
    assert task.newest_seq == before
    assert (task.attempt, new.task.attempt) == (2, 2)
    assert not task.images.exists()


def test_no_claim_while_an_old_call_runs(alice: User, worker: Worker, now: datetime) -> None:
    serve_model(now=now, slots=2)
    submit(alice, now)
    claim = claim_one(worker, now)

    interrupt(claim, InterruptReason.HANDED_BACK, now)

    assert not services.claim(worker_id=worker.pk, now=now)
    settle(claim, now)
    assert services.claim(worker_id=worker.pk, now=now)


def test_three_failed_attempts_fail_the_task(alice: User, worker: Worker, now: datetime) -> None:
    task = submit(alice, now)
    for reason in (
        InterruptReason.MODEL_ERROR,
        InterruptReason.STALLED,
        InterruptReason.MODEL_LOST,
    ):
        end_attempt(worker, reason, now)

    task.refresh_from_db()

    assert (task.status, task.error_code) == (TaskStatus.FAILED, "model_lost")
    assert kinds(task.pk).count("interrupted") == 2


def test_uncounted_interruptions(alice: User, worker: Worker, now: datetime) -> None:
    task = submit(alice, now)
    for reason in [InterruptReason.HANDED_BACK, InterruptReason.MODEL_DOWN] * 3:
        now += timedelta(seconds=31)
        end_attempt(worker, reason, now)

    task.refresh_from_db()

    assert task.status == TaskStatus.QUEUED
    assert (task.attempt, task.failed_attempts) == (6, 0)


def test_an_uncounted_end_causes_a_pause(alice: User, worker: Worker, now: datetime) -> None:
    """Without it a call that ends at once would fill the log as fast as the machine can."""
    task = submit(alice, now)
    for pause in (1, 2, 4, 8, 16, 30, 30, 30, 30):
        end_attempt(worker, InterruptReason.CALL_ABORTED, now)
        assert not services.claim(worker_id=worker.pk, now=now)
        now += timedelta(seconds=pause)
    interrupt(claim_one(worker, now), InterruptReason.CALL_ABORTED, now)

    task.refresh_from_db()
    assert (task.status, task.error_code) == (TaskStatus.FAILED, "call_aborted")


def test_attempts_are_limited(alice: User, worker: Worker, now: datetime) -> None:
    task = submit(alice, now)
    GenerationTask.objects.filter(pk=task.pk).update(attempt=MAX_ATTEMPTS - 2)
    for _attempt in range(2):
        end_attempt(worker, InterruptReason.MODEL_DOWN, now)
        now += timedelta(seconds=31)

    task.refresh_from_db()
    assert (task.status, task.error_code) == (TaskStatus.FAILED, "model_down")
    assert kinds(task.pk).count("interrupted") == 1


def test_only_aborts_count_as_aborts(alice: User, worker: Worker, now: datetime) -> None:
    task = submit(alice, now)
    for reason in [InterruptReason.HANDED_BACK, InterruptReason.MODEL_DOWN] * 6:
        now += timedelta(seconds=31)
        end_attempt(worker, reason, now)
    now += timedelta(seconds=31)

    interrupt(claim_one(worker, now), InterruptReason.CALL_ABORTED, now)

    task.refresh_from_db()
    assert task.status == TaskStatus.QUEUED


def test_cleanup_finishes_open_cancels(alice: User, worker: Worker, now: datetime) -> None:
    task = submit(alice, now)
    GenerationTask.objects.filter(pk=task.pk).update(cancel_requested_at=now)

    assert services.finish_cancels(now=now) == 1
    assert services.finish_cancels(now=now) == 0
    task.refresh_from_db()
    assert task.status == TaskStatus.CANCELLED


def test_the_next_attempt_resumes(alice: User, worker: Worker, now: datetime) -> None:
    submit(alice, now, n=3)
    first = claim_one(worker, now)
    store(first, now, index=1)

    interrupt(first, InterruptReason.STALLED, now)
    settle(first, now)
    second = claim_one(worker, now)

    assert (first.missing, second.missing) == ((1, 2, 3), (2, 3))
    assert second.task.progress == 33.0


def test_missing_pictures_bar_completion(alice: User, worker: Worker, now: datetime) -> None:
    submit(alice, now, n=2)
    claim = claim_one(worker, now)
    store(claim, now, index=1)

    with pytest.raises(TransitionRefused):
        finish(claim, now)


def test_a_run_that_ends_without_a_word_leaves_no_task_running(claim: Claim, now: datetime) -> None:
    task = claim.task

    settle(claim, now)

    task.refresh_from_db()
    # counted: a fault of our own must not go round for ever
    assert (task.status, task.failed_attempts) == (TaskStatus.QUEUED, 1)
    assert kinds(task.pk)[-1] == "interrupted"


def test_an_abandoned_call_has_its_route(alice: User, worker: Worker, now: datetime) -> None:
    serve_model(now=now, route=Route.GENERATIONS)
    submit(alice, now)
    claim_one(worker, now)

    (abandoned,) = services.take_over_expired(worker_id=worker.pk, now=now + timedelta(seconds=31))

    assert abandoned.route == Route.GENERATIONS
