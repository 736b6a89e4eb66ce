"""Ends attempts and tasks."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import UUIDField

from generation.choices import (
    COUNTED_INTERRUPTIONS,
    Basis,
    EventKind,
    InterruptReason,
    Step,
    TaskStatus,
)
from generation.compiled_query import CompiledQuery, Parameter
from generation.error_codes import ErrorCode
from generation.exceptions import TransitionRefused
from generation.models import GeneratedImage, GenerationTask
from generation.protocol import ImageData, ending_data
from generation.services.charges import charges_after, give_back
from generation.services.retry_policy import RETRY_AT_ONCE, is_last, retry_delay
from generation.services.transition import RUNNING, NewEvent, transition

MAX_STORED_DETAIL = 4_000
"""Characters of an error in the row of a task, for staff."""

LOCKED_TASK = CompiledQuery(
    GenerationTask.objects.filter(pk=Parameter("task_id", UUIDField())).select_for_update(
        no_key=True
    )
)


def lock_task(task_id: uuid.UUID) -> GenerationTask:
    """Read a task and lock its row, so that no cancel comes between reading and writing."""
    # a submission that has locked the owner's limits may refer to the task as its parent
    locked: list[GenerationTask] = LOCKED_TASK.objects(task_id=task_id)
    if not locked:
        raise GenerationTask.DoesNotExist
    return locked[0]


def complete(
    *, task_id: uuid.UUID, attempt: int, measured: dict[str, float], now: datetime
) -> None:
    """Complete a task whose images are all stored.

    Raises TransitionRefused if one is missing or a cancel was requested.
    """
    with transaction.atomic():
        task = lock_task(task_id)
        images = images_of(task)
        if len(images) != task.image_count:
            raise TransitionRefused
        end(task, completed(task, images, measured, now), now, fence=attempt, wanted=True)


def fail(*, task_id: uuid.UUID, attempt: int, code: ErrorCode, detail: str, now: datetime) -> None:
    """End a task as failed in its current step; only staff see `detail`."""
    with transaction.atomic():
        task = lock_task(task_id)
        # after a cancel request errors do not matter: `settle_slot` writes `cancelled`
        if task.cancel_requested_at is None:
            end(task, failed(task, code, detail, now), now, fence=attempt)


def completed(
    task: GenerationTask, images: Sequence[ImageData], measured: dict[str, float], now: datetime
) -> NewEvent:
    event = ending_event(task, EventKind.COMPLETED, TaskStatus.COMPLETED, images, now)
    return event.with_changes(
        step=Step.COMPLETED, progress=100, basis=Basis.MEASURED, measured_durations=measured
    )


def failed(task: GenerationTask, code: ErrorCode, detail: str, now: datetime) -> NewEvent:
    images = images_of(task)
    event = ending_event(task, EventKind.FAILED, TaskStatus.FAILED, images, now, code=code.value)
    return event.with_changes(error_code=code, error_detail=detail[:MAX_STORED_DETAIL])


def cancelled(task: GenerationTask, now: datetime) -> NewEvent:
    return ending_event(task, EventKind.CANCELLED, TaskStatus.CANCELLED, images_of(task), now)


def ending_event(
    task: GenerationTask,
    kind: EventKind,
    status: TaskStatus,
    images: Sequence[ImageData],
    now: datetime,
    **details: str,
) -> NewEvent:
    run = round(task.run_seconds + attempt_seconds(task, now), 3)
    wait = round(max(0.0, (now - task.created).total_seconds() - run), 3)
    return NewEvent(
        kind=kind,
        details={"wait_seconds": wait, "run_seconds": run, **details},
        changes={
            "status": status,
            "finished_at": now,
            "wait_seconds": wait,
            "run_seconds": run,
            "eta_seconds": None,
        },
        ending=ending_data(created=now.timestamp(), images=list(images)),
    )


def end(
    task: GenerationTask,
    event: NewEvent,
    now: datetime,
    *,
    sources: Collection[TaskStatus] = RUNNING,
    fence: int | None = None,
    wanted: bool = False,
) -> None:
    """Write the entry that ends a task, which the caller has locked."""
    stored = len(event.ending["data"]) if event.ending else 0
    charges = charges_after(task, event.changes["status"], stored)
    ending = event.with_changes(**charges)
    transition(
        task_id=task.pk, events=[ending], sources=sources, fence=fence, wanted=wanted, now=now
    )
    give_back(task, charges)


def images_of(task: GenerationTask) -> list[ImageData]:
    return [image.data for image in GeneratedImage.objects.filter(task=task).order_by("index")]


def attempt_seconds(task: GenerationTask, now: datetime) -> float:
    """Seconds of the running attempt, 0 if there is none."""
    if task.status != TaskStatus.RUNNING or task.claimed_at is None:
        return 0.0
    return (now - task.claimed_at).total_seconds()


def interrupt(
    *,
    task_id: uuid.UUID,
    attempt: int,
    reason: InterruptReason,
    detail: str,
    now: datetime,
) -> None:
    """End an attempt: the task is queued again, or fails when its attempts are used up.

    The slot is not touched. `settle_slot` frees it when the call is known to be over; only then
    may the task be claimed again or cancelled.
    """
    with transaction.atomic():
        task = lock_task(task_id)
        failed_attempts = task.failed_attempts + int(reason in COUNTED_INTERRUPTIONS)
        if is_last(task, reason) and not task.cancel_requested_at:
            event = failed(task, ErrorCode(reason.value), detail, now)
            event = event.with_changes(failed_attempts=failed_attempts)
            end(task, event, now, fence=attempt)
            return
        event = interrupted(task, reason, detail, now)
        event = event.with_changes(failed_attempts=failed_attempts)
        transition(task_id=task_id, events=[event], sources=RUNNING, fence=attempt, now=now)


def interrupted(
    task: GenerationTask, reason: InterruptReason, detail: str, now: datetime
) -> NewEvent:
    stored = task.images.count()
    at_once = reason in RETRY_AT_ONCE
    return NewEvent(
        kind=EventKind.INTERRUPTED,
        details={
            "reason": reason.value,
            "counted": reason in COUNTED_INTERRUPTIONS,
            "stored": stored,
        },
        changes={
            "status": TaskStatus.QUEUED,
            "step": Step.PARSING,
            "progress": round(99 * stored / task.image_count, 1),
            "basis": Basis.MEASURED,
            "eta_seconds": None,
            "current_image": 0,
            "uncounted_interruptions": task.uncounted_interruptions + int(not at_once),
            "retry_at": None if at_once else now + retry_delay(task.uncounted_interruptions),
            "run_seconds": round(task.run_seconds + attempt_seconds(task, now), 3),
            "error_detail": detail[:MAX_STORED_DETAIL],
        },
    )
