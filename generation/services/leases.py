"""Leases of slots: a worker renews them with its heartbeat, or ends them."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import UUIDField

from generation.choices import WorkerState
from generation.compiled_query import CompiledQuery, Parameter
from generation.models import ModelSlot, Worker
from generation.services.workers import retire_worker

CANCEL_REQUESTS = CompiledQuery(
    ModelSlot.objects.filter(
        worker=Parameter("worker", UUIDField()), task__cancel_requested_at__isnull=False
    ).values_list("task")
)


def heartbeat(
    *,
    worker_id: uuid.UUID,
    slot_ids: Collection[int],
    draining: bool,
    now: datetime,
    paused: bool = False,
) -> list[uuid.UUID]:
    """Renew the leases of the worker's slots; returns its tasks whose cancel was requested.

    An expired lease is not renewed, because another worker may be taking the slot over.
    """
    state = WorkerState.PAUSED if paused else WorkerState.RUNNING
    state = WorkerState.DRAINING if draining else state
    with transaction.atomic():
        Worker.objects.filter(pk=worker_id).update(last_seen=now, slots=len(slot_ids), state=state)
        held = ModelSlot.objects.filter(pk__in=slot_ids, worker=worker_id, lease_until__gte=now)
        held.update(lease_until=now + settings.GENERATION_LEASE)
    return cancel_requests_of(worker_id)


def cancel_requests_of(worker_id: uuid.UUID) -> list[uuid.UUID]:
    return [key for (key,) in CANCEL_REQUESTS.rows(worker=worker_id)]


def expire_worker(*, worker_id: uuid.UUID, now: datetime) -> None:
    """End the leases of a worker whose process is known to be dead."""
    a_moment_ago = now - timedelta(microseconds=1)
    with transaction.atomic():
        ModelSlot.objects.filter(worker=worker_id, lease_until__gte=now).update(
            lease_until=a_moment_ago
        )
        retire_worker(worker_id=worker_id, now=now)
