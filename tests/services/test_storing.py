"""The last picture completes the task and frees the slot in one transaction."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import User

from generation import services
from generation.choices import EventKind, Step, TaskStatus
from generation.exceptions import TransitionRefused
from generation.models import GeneratedImage, ModelSlot, Worker
from generation.services import Claim, LastImage
from generation.services.transition import RUNNING, NewEvent, transition
from tests.factories import claim_one, kinds, store, submit

pytestmark = pytest.mark.django_db


def store_last(claim: Claim, now: datetime, index: int = 1) -> GeneratedImage:
    last = LastImage(slot_id=claim.slot_id, measured={"generating": 1.0})
    return store(claim, now, index, name=f"{claim.task.pk}/{index}.jpg", last=last)


def test_the_last_picture_completes_and_frees_the_slot(claim: Claim, now: datetime) -> None:
    task = claim.task

    store_last(claim, now)

    task.refresh_from_db()
    assert (task.status, task.progress, task.step) == (TaskStatus.COMPLETED, 100, "completed")
    assert task.measured_durations == {"generating": 1.0}
    assert kinds(task.pk)[-2:] == ["image_stored", "completed"]
    assert not ModelSlot.objects.filter(task__isnull=False).exists()


def test_each_event_has_the_state_of_its_moment(claim: Claim, now: datetime) -> None:
    task = claim.task

    store_last(claim, now)

    stored, completed = task.events.order_by("-seq")[:2][::-1]
    assert '"status":"running","step":"loading"' in stored.frame
    assert (stored.seq, stored.step, stored.progress) == (4, "loading", 99)
    assert '"status":"completed","step":"completed"' in completed.frame
    assert (completed.seq, completed.step, completed.progress) == (5, "completed", 100)


def test_a_lost_answer_to_the_last_picture_is_given_again(claim: Claim, now: datetime) -> None:
    task = claim.task
    first = store_last(claim, now)
    log = kinds(task.pk)

    again = store_last(claim, now)

    assert again.pk == first.pk
    assert kinds(task.pk) == log


def test_a_cancel_leaves_neither_the_last_picture_nor_an_end(claim: Claim, now: datetime) -> None:
    task = claim.task
    services.request_cancel(task_id=task.pk, now=now)

    with pytest.raises(TransitionRefused):
        store_last(claim, now)

    assert not GeneratedImage.objects.exists()
    assert ModelSlot.objects.get(task=task).attempt == claim.task.attempt
    assert kinds(task.pk)[-1] == "cancel_requested"


def test_every_picture_is_needed(alice: User, model: str, worker: Worker, now: datetime) -> None:
    task = submit(alice, now, n=2)
    claim = claim_one(worker, now)

    with pytest.raises(TransitionRefused):
        store_last(claim, now, index=2)

    task.refresh_from_db()
    assert task.status == TaskStatus.RUNNING
    assert not task.images.exists()


def test_a_first_log_line_has_changes(claim: Claim, now: datetime) -> None:
    quiet, loud = (
        NewEvent(kind=EventKind.DELAYED),
        NewEvent(kind=EventKind.STEP_BEGAN, changes={"step": Step.PREPARING}),
    )

    with pytest.raises(ValueError, match="first event"):
        transition(task_id=claim.task.pk, events=[quiet, loud], sources=RUNNING, now=now)

    assert kinds(claim.task.pk) == ["submitted", "claimed", "step_began"]
