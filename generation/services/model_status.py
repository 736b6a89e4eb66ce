"""State of the models of each server, and their slots."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from accounts.log_format import log_line
from generation.choices import Route
from generation.error_codes import ErrorCode
from generation.limits import MAX_MODELS, MAX_SLOTS
from generation.models import GenerationTask, ModelInstance, ModelServer, ModelSlot, ModelState
from generation.outages import LogRateLimit
from generation.services.model_servers import is_paused_key
from generation.services.model_sums import NOT_SERVED, sum_models

logger = logging.getLogger(__name__)

UNSERVED_RETENTION = timedelta(hours=1)
"""Time after which a model that its server no longer lists is deleted."""

LOST_DURATION = timedelta(seconds=60)
"""Time for which a dead model process counts as not ready although the server lists it as READY.

The server replaces it within 14 s.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelObservation:
    """State of one model as a worker saw it; `slots` is its number of simultaneous calls."""

    name: str
    route: Route
    ready: bool
    loading: bool
    replicas: int
    identity: str
    slots: int
    error_code: ErrorCode | None = None
    """Why the model cannot be used although the server lists it as ready."""
    error_detail: str = ""
    paces: Mapping[str, float] = field(default_factory=dict)
    """Newly measured seconds per step, by size bucket."""
    other_calls: int | None = None
    """Calls of other programs that run or wait there; None if that is not known."""


def record_models(*, server_id: int, seen: Sequence[ModelObservation], now: datetime) -> None:
    """Record what a server serves.

    Models that it does not list are not ready there, and are deleted after UNSERVED_RETENTION.
    """
    with transaction.atomic():
        server = ModelServer.objects.select_for_update().filter(pk=server_id).first()
        if server is None or is_paused_key(server, now=now):
            return  # it was deleted, or refused the key, while this probe was running
        for model in storable(seen):
            record_instance(server, model, now=now)
        unnamed = server.instances.exclude(model__in=[model.name for model in seen])
        unnamed.update(
            ready=False,
            loading=False,
            replicas=0,
            checked_at=now,
            other_calls=None,
            error_code=ErrorCode.MODEL_NOT_FOUND,
            error_detail=NOT_SERVED,
        )
        server.checked_at, server.error_code, server.error_detail = now, "", ""
        server.save(update_fields=["checked_at", "error_code", "error_detail"])
        delete_unserved_models(now=now)
        sum_models(now=now)


left_out = LogRateLimit(burst=1, seconds=3_600)
"""Limits the log line, because every worker writes it at every probe."""


def storable(seen: Sequence[ModelObservation]) -> list[ModelObservation]:
    """`seen` by name, without new models beyond MAX_MODELS; the default model comes first."""
    known = set(ModelState.objects.values_list("name", flat=True))
    new = sorted(
        (model for model in seen if model.name not in known),
        key=lambda model: (model.name != settings.XINFERENCE_MODEL, model.name),
    )
    room = max(0, MAX_MODELS - len(known))
    if len(new) > room and left_out.allows():
        line = log_line("models_left_out", count=len(new) - room, most=MAX_MODELS)
        logger.warning("%s", line)
    kept = [model for model in seen if model.name in known] + new[:room]
    return sorted(kept, key=lambda model: model.name)


def delete_unserved_models(*, now: datetime) -> None:
    """Delete instances that are no longer served, with their slots, and models without instance.

    The default model, paused models, those of unfinished tasks and those with a held slot are kept.
    """
    held = ModelSlot.objects.filter(instance=OuterRef("pk"), task__isnull=False)
    # those of a server that is away may come back with it
    unserved = ModelInstance.objects.filter(
        Q(error_code=ErrorCode.MODEL_NOT_FOUND) | Q(server__enabled=False),
        seen_at__lt=now - UNSERVED_RETENTION,
    )
    gone = list(unserved.exclude(Exists(held)).values_list("pk", flat=True))
    if gone:
        ModelSlot.objects.filter(instance__in=gone, task__isnull=True).delete()
        ModelInstance.objects.filter(pk__in=gone).delete()
    unfinished = GenerationTask.objects.unfinished().filter(model=OuterRef("name"))
    instances = ModelInstance.objects.filter(model=OuterRef("name"))
    unused = ModelState.objects.filter(~Exists(instances), seen_at__isnull=False).exclude(
        Q(name=settings.XINFERENCE_MODEL) | Q(paused=True) | Exists(unfinished)
    )
    names = list(unused.values_list("name", flat=True))
    ModelState.objects.filter(name__in=names).delete()
    for name in names:
        logger.info("%s", log_line("model_forgotten", model=name))


def record_instance(server: ModelServer, model: ModelObservation, *, now: datetime) -> None:
    instance, created = server.instances.get_or_create(
        model=model.name,
        defaults={"checked_at": now, "identity": model.identity, "identity_since": now},
    )
    if not created and instance.identity != model.identity:
        instance.identity_since = now
    stale_process = is_lost_process(instance, model.identity, now)
    instance.ready = model.ready and not stale_process
    instance.loading = model.loading or stale_process
    instance.replicas = min(model.replicas, MAX_SLOTS)
    instance.route, instance.identity = model.route, model.identity
    instance.checked_at = instance.seen_at = now
    instance.error_code = model.error_code or ""
    instance.error_detail = model.error_detail
    instance.slots = remaining_slots(min(model.slots, MAX_SLOTS), model.other_calls or 0)
    instance.other_calls = model.other_calls
    instance.paces |= model.paces
    instance.save()
    resize_slots(instance)


def record_lost_model(*, server_id: int, name: str, identity: str, now: datetime) -> None:
    """Record that the process `identity` died: not ready until another one replaces it."""
    with transaction.atomic():
        lost = ModelInstance.objects.filter(server=server_id, model=name, identity=identity)
        if lost.update(ready=False, loading=True, lost_identity=identity, lost_at=now):
            sum_models(now=now)


def is_lost_process(instance: ModelInstance, identity: str, now: datetime) -> bool:
    """Whether the server still lists a process that is known to have died."""
    if instance.lost_at is None or instance.lost_identity != identity:
        return False
    return now - instance.lost_at < LOST_DURATION


def remaining_slots(slots: int, other_calls: int) -> int:
    """`slots` without those that other programs use; one stays, so that they take turns."""
    return max(min(slots, 1), slots - other_calls)


def resize_slots(instance: ModelInstance) -> None:
    """Give the instance its slots; a held slot beyond them is deleted once it is free."""
    slots = ModelSlot.objects.filter(instance=instance)
    known = set(slots.values_list("number", flat=True))
    missing = [
        ModelSlot(instance=instance, model=instance.model, number=number)
        for number in range(1, instance.slots + 1)
        if number not in known
    ]
    if missing:
        ModelSlot.objects.bulk_create(missing, ignore_conflicts=True)
    # a version that knew one server only made slots without instance
    old = Q(model=instance.model, instance__isnull=True)
    unused = Q(instance=instance, number__gt=instance.slots) | old
    ModelSlot.objects.filter(unused, task__isnull=True).delete()


def record_unreachable(
    *,
    server_id: int,
    code: ErrorCode,
    now: datetime,
    detail: str = "",
    unseen_for: timedelta | None = None,
) -> None:
    """Record that a server does not respond, or not properly; its claims stop until it does.

    `detail` is the message for the operator. With `unseen_for` nothing is recorded if a worker has
    checked the server within that time.
    """
    seen = {"checked_at": now, "error_code": code, "error_detail": detail}
    servers = ModelServer.objects.filter(pk=server_id)
    if unseen_for is not None:
        servers = servers.exclude(checked_at__gt=now - unseen_for)
    with transaction.atomic():
        # first the server, as everywhere, so that two transactions do not deadlock
        if servers.update(**seen):
            ModelInstance.objects.filter(server=server_id).update(
                ready=False, loading=False, other_calls=None, **seen
            )
            sum_models(now=now)
