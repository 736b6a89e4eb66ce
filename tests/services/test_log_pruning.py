"""Old logs are shortened to whole, shorter logs."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from generation import selectors, services
from generation.models import GenerationTask, TaskEvent, Worker
from generation.protocol import TaskState
from tests.factories import claim_one, fail, finished_task, kinds, settle, state_of, submit
from tests.services.old_tasks import AGE, drawn_task, prune_all

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("model")]

KEPT = (
    *("task_id", "status", "step", "progress", "basis", "eta_seconds", "attempt", "image"),
    *("cancel_requested", "cancel_reason", "error", "images", "submitted_at", "claimed_at"),
    *("ended_at", "wait_seconds", "run_seconds", "updated_at", "waiting"),
)


@pytest.fixture(autouse=True)
def thirty_days(settings: Settings) -> None:
    settings.RETENTION_LOGS = 30


def kept_of(state: TaskState) -> dict[str, object]:
    return {name: value for name, value in state.items() if name in KEPT}


def test_an_old_log_is_shortened(media: Path, alice: User, worker: Worker, now: datetime) -> None:
    task = drawn_task(alice, worker, now - AGE)
    young = drawn_task(alice, worker, now)
    before = state_of(task.pk)

    pruned = prune_all(now)

    assert kinds(task.pk) == ["submitted", "claimed", "image_stored", "completed"]
    assert (pruned.logs, pruned.events) == (1, task.newest_seq - 4)
    assert len(kinds(young.pk)) == young.newest_seq
    assert kept_of(state_of(task.pk)) == kept_of(before)
    assert prune_all(now).logs == 0


def test_it_is_numbered_without_gaps(
    media: Path, alice: User, worker: Worker, now: datetime
) -> None:
    task = drawn_task(alice, worker, now - AGE)

    prune_all(now)

    task.refresh_from_db()
    rows = TaskEvent.objects.filter(task=task).order_by("seq")
    assert [(row.seq, json.loads(row.frame)["seq"]) for row in rows] == [
        (n, n) for n in range(1, 5)
    ]
    assert (task.newest_seq, task.log_pruned_at) == (4, now)
    assert task.data["log_pruned_at"] == round(now.timestamp(), 3)


def test_a_failed_task_keeps_its_reason(alice: User, worker: Worker, now: datetime) -> None:
    submit(alice, now - AGE)
    claim = claim_one(worker, now - AGE)
    fail(claim, now - AGE)
    settle(claim, now - AGE)
    error = state_of(claim.task.pk)["error"]

    prune_all(now)

    assert error is not None
    assert state_of(claim.task.pk)["error"] == error


def test_a_cancelled_task_keeps_its_request(alice: User, now: datetime) -> None:
    task = submit(alice, now - AGE)
    services.request_cancel(task_id=task.pk, now=now - AGE)

    assert prune_all(now).logs == 1

    assert kinds(task.pk) == ["submitted", "cancel_requested", "cancelled"]


def test_the_timeline_says_that_events_are_missing(
    media: Path, alice: User, worker: Worker, now: datetime
) -> None:
    task = drawn_task(alice, worker, now - AGE)

    prune_all(now)

    detail = selectors.task_detail(GenerationTask.objects.get(pk=task.pk), now=now)
    steps = [bar.step for bar in detail.timeline.bars]
    assert steps == ["parsing", "not_shown", "completed"]


def test_its_page_still_shows_the_seed(alice: User, now: datetime) -> None:
    task = finished_task(alice, now - AGE, seed=7)

    prune_all(now)

    task.refresh_from_db()
    assert selectors.card_of(task, now=now)["state"]["seed"] == 7


def test_unfinished_tasks_keep_their_logs(alice: User, worker: Worker, now: datetime) -> None:
    submit(alice, now - AGE)
    running = claim_one(worker, now - AGE)
    waiting = submit(alice, now - AGE)

    assert prune_all(now).logs == 0

    assert kinds(running.task.pk) == ["submitted", "claimed", "step_began"]
    assert kinds(waiting.pk) == ["submitted"]


def test_its_age_counts_from_its_end(
    media: Path, alice: User, worker: Worker, now: datetime
) -> None:
    task = drawn_task(alice, worker, now - AGE)
    ended = now - timedelta(days=30)
    GenerationTask.objects.filter(pk=task.pk).update(finished_at=ended)

    assert prune_all(now).logs == 0
    assert prune_all(now + timedelta(seconds=1)).logs == 1
