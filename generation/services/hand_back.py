"""Returns running tasks to the queue at the request of staff."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import transaction

from generation import broadcast
from generation.choices import InterruptReason, TaskStatus
from generation.models import ModelSlot
from generation.services.completion import interrupt, lock_task

MOMENT = timedelta(microseconds=1)


def hand_back(*, task_id: uuid.UUID, now: datetime) -> bool:
    """End the running attempt of a task, which is queued again; False if there is none.

    The attempt does not count as failed. Its lease ends too, so that a worker takes the slot over
    as from a dead one: it ends the call, and only then frees the slot for another attempt. Whatever
    the worker of the old attempt still writes is refused.
    """
    with transaction.atomic():
        task = lock_task(task_id)
        if task.status != TaskStatus.RUNNING or task.cancel_requested_at is not None:
            return False
        interrupt(
            task_id=task_id,
            attempt=task.attempt,
            reason=InterruptReason.HANDED_BACK,
            detail="",
            now=now,
        )
        slots = ModelSlot.objects.filter(task=task_id, attempt=task.attempt)
        slots.update(lease_until=now - MOMENT)
        transaction.on_commit(broadcast.wake_workers, robust=True)
    return True
