"""Cancel requests: when `cancelled` is written, and which call wins a race."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from generation import services
from generation.choices import InterruptReason, Route, TaskStatus
from generation.exceptions import TransitionRefused
from generation.models import GenerationTask, Worker
from generation.services import Claim
from tests.conftest import serve_model
from tests.factories import (
    claim_one,
    fail,
    finish,
    interrupt,
    kinds,
    settle,
    state_of,
    store,
    submit,
)
from tests.query_plans import plan_of

pytestmark = pytest.mark.django_db


def cancel(task: GenerationTask, now: datetime) -> str:
    return services.request_cancel(task_id=task.pk, now=now)


def test_a_queued_task_is_cancelled_at_once(alice: User, now: datetime) -> None:
    task = submit(alice, now)

    assert cancel(task, now) == "cancelled"
    assert kinds(task.pk) == ["submitted", "cancel_requested", "cancelled"]
    assert cancel(task, now) == "cancelled"
    assert len(kinds(task.pk)) == 3


@pytest.mark.parametrize(
    ("route", "stops"), [(Route.TXT2IMG, "step"), (Route.GENERATIONS, "picture")]
)
def test_a_running_task_is_cancelled_when_its_call_is_over(
    alice: User, worker: Worker, now: datetime, route: Route, stops: str
) -> None:
    serve_model(now=now, route=route)
    task = submit(alice, now)
    claim = claim_one(worker, now)

    assert cancel(task, now) == "requested"
    assert cancel(task, now) == "requested"
    assert state_of(task.pk)["cancel_requested"] == stops
    assert state_of(task.pk)["status"] == TaskStatus.RUNNING

    settle(claim, now)
    assert state_of(task.pk)["status"] == TaskStatus.CANCELLED


def test_a_result_that_arrives_after_the_request_is_discarded(claim: Claim, now: datetime) -> None:
    task = claim.task
    cancel(task, now)

    with pytest.raises(TransitionRefused):
        store(claim, now)
    with pytest.raises(TransitionRefused):
        finish(claim, now)

    settle(claim, now)
    assert state_of(task.pk)["images"] == []


def test_a_cancel_between_the_last_picture_and_the_end_wins(claim: Claim, now: datetime) -> None:
    task = claim.task
    store(claim, now)
    cancel(task, now)

    with pytest.raises(TransitionRefused):
        finish(claim, now)

    settle(claim, now)
    state = state_of(task.pk)
    assert state["status"] == TaskStatus.CANCELLED
    assert len(state["images"]) == 1


def test_a_cancel_after_the_end_changes_nothing(claim: Claim, now: datetime) -> None:
    task = claim.task
    store(claim, now)
    finish(claim, now)
    before = kinds(task.pk)

    assert cancel(task, now) == "already_finished"
    assert kinds(task.pk) == before


def test_a_failure_after_the_request_is_a_cancel(claim: Claim, now: datetime) -> None:
    task = claim.task
    cancel(task, now)

    fail(claim, now)
    settle(claim, now)

    task.refresh_from_db()
    assert task.status == TaskStatus.CANCELLED


def test_a_cancel_waits_for_the_old_call(claim: Claim, now: datetime) -> None:
    task = claim.task
    interrupt(claim, InterruptReason.HANDED_BACK, now)

    assert cancel(task, now) == "requested"
    assert state_of(task.pk)["status"] == TaskStatus.QUEUED
    settle(claim, now)

    assert state_of(task.pk)["status"] == TaskStatus.CANCELLED


def test_a_task_is_cancelled_when_its_time_limit_has_passed(alice: User, now: datetime) -> None:
    limit = now + timedelta(seconds=10)
    task, other = submit(alice, now, cancel_after=limit), submit(alice, now)

    assert services.cancel_overdue(now=limit - timedelta(seconds=1)) == 0
    assert services.cancel_overdue(now=limit) == 1
    assert services.cancel_overdue(now=limit) == 0

    state = state_of(task.pk)
    assert (state["status"], state["cancel_reason"]) == (TaskStatus.CANCELLED, "time_limit")
    assert state_of(other.pk)["status"] == TaskStatus.QUEUED


def test_a_running_task_is_stopped_at_its_time_limit(
    alice: User, worker: Worker, now: datetime
) -> None:
    serve_model(now=now)
    task = submit(alice, now, cancel_after=now)
    claim = claim_one(worker, now)

    assert services.cancel_overdue(now=now) == 1
    assert state_of(task.pk)["cancel_requested"] == "step"
    settle(claim, now)

    assert state_of(task.pk)["status"] == TaskStatus.CANCELLED
    assert services.cancel_overdue(now=now) == 0


def test_a_request_of_a_user_has_no_reason(alice: User, now: datetime) -> None:
    task = submit(alice, now, cancel_after=now)

    cancel(task, now)

    assert services.cancel_overdue(now=now) == 0
    assert state_of(task.pk)["cancel_reason"] is None


def test_tasks_with_a_time_limit_are_found_by_index(alice: User, now: datetime) -> None:
    submit(alice, now, cancel_after=now)
    with CaptureQueriesContext(connection) as captured:
        services.cancel_overdue(now=now)

    assert "tasks_with_time_limit" in plan_of(captured.captured_queries[0]["sql"])
