"""Frees slots whose call is over."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction

from generation import broadcast
from generation.choices import InterruptReason, TaskStatus
from generation.models import ModelSlot
from generation.services.completion import cancelled, end, interrupt, lock_task
from generation.services.transition import ANY_UNFINISHED


def settle_slot(*, slot_id: int, task_id: uuid.UUID, attempt: int, now: datetime) -> bool:
    """Free the slot of an attempt whose call is over, and cancel its task if that was requested.

    Returns False if the slot no longer belongs to this attempt.
    """
    with transaction.atomic():
        # lock the task before the slot, as everywhere, so that transactions see both or neither
        task = lock_task(task_id)
        if not free_slot(slot_id=slot_id, task_id=task_id, attempt=attempt):
            return False
        if task.cancel_requested_at is not None and not task.is_over:
            end(task, cancelled(task, now), now, sources=ANY_UNFINISHED, fence=attempt)
        elif task.status == TaskStatus.RUNNING and task.attempt == attempt:
            # the run wrote no end: a task must not stay running without a worker
            interrupt(
                task_id=task_id,
                attempt=attempt,
                reason=InterruptReason.LEASE_EXPIRED,
                detail="the run ended without saying how",
                now=now,
            )
    return True


def free_slot(*, slot_id: int, task_id: uuid.UUID, attempt: int) -> bool:
    """Free a slot and wake the workers; returns False if it belongs to another attempt."""
    slot = ModelSlot.objects.filter(pk=slot_id, task=task_id, attempt=attempt)
    freed = slot.update(
        task=None, attempt=0, request_id=None, identity="", worker=None, lease_until=None
    )
    if freed:
        transaction.on_commit(broadcast.wake_workers, robust=True)
    return bool(freed)
