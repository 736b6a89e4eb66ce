"""Requests to cancel, and the cancellation once no call is running."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Literal

from django.db import transaction

from generation import broadcast
from generation.choices import CancelReason, EventKind, Route, TaskStatus
from generation.models import GenerationTask, ModelSlot
from generation.services.completion import cancelled, end, lock_task
from generation.services.transition import ANY_UNFINISHED, QUEUED, NewEvent, transition

Answer = Literal["cancelled", "requested", "already_finished"]
CANCELS_AT_ONCE = 100
"""Of one pass over the tasks with a time limit; the next follows within a second."""


def request_cancel(
    *, task_id: uuid.UUID, now: datetime, reason: CancelReason | None = None
) -> Answer:
    """Request the cancellation of a task; repeating the request changes nothing.

    `reason`: why, if no user requests it.
    """
    with transaction.atomic():
        task = lock_task(task_id)
        if task.is_over:
            return "cancelled" if task.status == TaskStatus.CANCELLED else "already_finished"
        if task.cancel_requested_at is not None:
            return "requested"
        slot = ModelSlot.objects.filter(task=task).select_related("instance").first()
        event = NewEvent(
            kind=EventKind.CANCEL_REQUESTED,
            details={"stops": stops_after(slot)} | ({"reason": reason} if reason else {}),
            changes={"cancel_requested_at": now},
        )
        transition(task_id=task_id, events=[event], sources=ANY_UNFINISHED, wanted=True, now=now)
        if slot is None and task.status == TaskStatus.QUEUED:
            end(task, cancelled(task, now), now, sources=QUEUED)
            return "cancelled"
        transaction.on_commit(broadcast.wake_workers, robust=True)
    return "requested"


def cancel_overdue(*, now: datetime) -> int:
    """Request the cancellation of tasks whose time limit has passed; returns their number."""
    overdue = GenerationTask.objects.filter(
        cancel_after__lte=now, finished_at__isnull=True, cancel_requested_at__isnull=True
    )
    keys = list(overdue.order_by("cancel_after").values_list("pk", flat=True)[:CANCELS_AT_ONCE])
    for key in keys:
        request_cancel(task_id=key, now=now, reason=CancelReason.TIME_LIMIT)
    return len(keys)


def stops_after(slot: ModelSlot | None) -> str:
    """When the running call will stop: now, after its denoising step, or after its image."""
    if slot is None:
        return "now"
    route = None if slot.instance is None else slot.instance.route
    return "picture" if route == Route.GENERATIONS else "step"


def finish_cancels(*, now: datetime) -> int:
    """Cancel queued tasks whose cancel was requested and that hold no slot; returns their number.

    Normally `settle_slot` does this; these are the tasks for which it could not.
    """
    wanted = GenerationTask.objects.waiting().filter(
        cancel_requested_at__isnull=False, slot__isnull=True
    )
    count = 0
    for key in wanted.values_list("pk", flat=True):
        with transaction.atomic():
            task = lock_task(key)
            if task.status == TaskStatus.QUEUED and not ModelSlot.objects.filter(task=key).exists():
                end(task, cancelled(task, now), now, sources=QUEUED)
                count += 1
    return count
