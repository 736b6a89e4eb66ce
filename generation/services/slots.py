"""Frees slots whose call is over and takes over slots whose lease has expired."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, transaction

from accounts.log_escaping import log_line
from generation import broadcast, installation_id, selectors
from generation.choices import InterruptReason, Route, TaskStatus
from generation.exceptions import TransitionRefused
from generation.log_lines import cause_of
from generation.models import GenerationTask, ModelSlot, ModelState
from generation.services.completion import cancelled, end, interrupt, lock_task
from generation.services.transition import ANY_UNFINISHED

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonedCall:
    """The call of a slot that was taken over; the new worker ends it, then frees the slot."""

    slot_id: int
    task_id: uuid.UUID
    attempt: int
    model: str
    route: Route
    request_id: uuid.UUID | None
    identity: str
    stall: timedelta
    ours: bool = True
    """Whether this installation made the call; only then it may be aborted."""


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
    mine = ModelSlot.objects.filter(pk=slot_id, task=task_id, attempt=attempt)
    freed = mine.update(
        task=None, attempt=0, request_id=None, identity="", worker=None, lease_until=None
    )
    if freed:
        transaction.on_commit(broadcast.wake_workers, robust=True)
    return bool(freed)


def expire_leases(*, worker_id: uuid.UUID, now: datetime) -> list[AbandonedCall]:
    """Take over slots whose lease has expired, and interrupt their running tasks."""
    taken: list[AbandonedCall] = []
    expired = ModelSlot.objects.filter(task__isnull=False, lease_until__lt=now)
    for slot_id in expired.order_by("lease_until").values_list("pk", flat=True):
        try:
            abandoned = take_over_slot(slot_id=slot_id, worker_id=worker_id, now=now)
        except DatabaseError as error:
            # return the slots that were taken over before the error
            logger.warning("%s", log_line("slot_kept", slot=slot_id, cause=cause_of(error)))
            break
        if abandoned is not None:
            taken.append(abandoned)
    return taken


def take_over_slot(*, slot_id: int, worker_id: uuid.UUID, now: datetime) -> AbandonedCall | None:
    """Take over an expired slot; returns None if another worker has done so."""
    with transaction.atomic():
        task = GenerationTask.objects.select_for_update(of=("self",)).filter(slot=slot_id).first()
        if task is None:
            return None
        expired = ModelSlot.objects.filter(pk=slot_id, task=task, lease_until__lt=now)
        if not expired.update(worker=worker_id, lease_until=now + settings.GENERATION_LEASE):
            return None
        slot = ModelSlot.objects.get(pk=slot_id)
        if task.status == TaskStatus.RUNNING and task.attempt == slot.attempt:
            interrupt_silent(task.pk, slot.attempt, now)
    return AbandonedCall(
        slot_id=slot.pk,
        task_id=task.pk,
        attempt=slot.attempt,
        model=slot.model,
        route=route_of(slot.model),
        request_id=slot.request_id,
        identity=slot.identity,
        stall=selectors.stall_limit(task.expected_durations),
        ours=installation_id.is_ours(slot.request_id),
    )


def route_of(model: str) -> Route:
    route = ModelState.objects.filter(name=model).values_list("route", flat=True).first()
    return Route(route) if route else Route.TXT2IMG


def interrupt_silent(task_id: uuid.UUID, attempt: int, now: datetime) -> None:
    """Interrupt the attempt as `lease_expired`, unless its worker has just ended it."""
    try:
        interrupt(
            task_id=task_id,
            attempt=attempt,
            reason=InterruptReason.LEASE_EXPIRED,
            detail="",
            now=now,
        )
    except TransitionRefused:
        return
