"""Take-over of slots whose lease has expired, and of the calls that their workers left."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, transaction

from accounts.log_format import log_line
from generation import installation_id, selectors
from generation.choices import InterruptReason, Route, TaskStatus
from generation.models import GenerationTask, ModelSlot
from generation.outages import cause_of
from generation.services.completion import interrupt

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonedCall:
    """The call of a slot that was taken over; the new worker ends it, then frees the slot."""

    slot_id: int
    server_id: int | None
    """None for a slot of a version that knew one server only."""
    task_id: uuid.UUID
    correlation_id: str
    attempt: int
    model: str
    route: Route
    request_id: uuid.UUID | None
    identity: str
    stall: timedelta
    ours: bool = True
    """Whether this installation made the call; only then it may be aborted."""


def take_over_expired(*, worker_id: uuid.UUID, now: datetime) -> list[AbandonedCall]:
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
        slot = ModelSlot.objects.select_related("instance").get(pk=slot_id)
        if task.status == TaskStatus.RUNNING and task.attempt == slot.attempt:
            interrupt(
                task_id=task.pk,
                attempt=slot.attempt,
                reason=InterruptReason.LEASE_EXPIRED,
                detail="",
                now=now,
            )
    return AbandonedCall(
        slot_id=slot.pk,
        server_id=None if slot.instance is None else slot.instance.server_id,
        task_id=task.pk,
        correlation_id=task.correlation_id,
        attempt=slot.attempt,
        model=slot.model,
        route=Route.TXT2IMG if slot.instance is None else Route(slot.instance.route),
        request_id=slot.request_id,
        identity=slot.identity,
        stall=selectors.stall_limit(task.expected_durations),
        ours=installation_id.is_ours(slot.request_id),
    )
