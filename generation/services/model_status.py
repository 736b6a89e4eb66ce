"""State of the model server: its models, their slots, and a refused key."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.log_format import log_line
from generation.choices import KeyUse, Route
from generation.error_codes import ErrorCode
from generation.limits import MAX_MODELS, MAX_SLOTS
from generation.models import GenerationTask, ModelSlot, ModelState
from generation.outages import LogRateLimit

logger = logging.getLogger(__name__)

UNSERVED_RETENTION = timedelta(hours=1)
"""Time after which a model that the server no longer lists is deleted."""

REFUSED_KEY_PAUSE = timedelta(minutes=15)
"""Pause of a refused key; ten refusals in five minutes ban an address for an hour."""

KEY_TRY_INTERVAL = timedelta(seconds=60)
"""Time between tries of a refused key by all processes together, so that even workers that restart
often make at most five tries in five minutes."""

UNSEEN_AFTER = timedelta(seconds=15)
"""Three probes of a worker: an older state was left by a worker that is gone."""

KEY_REFUSED = "the model server refused our key: correct XINFERENCE_API_KEY and restart the workers"
NOT_SERVED = "the model server does not serve this model: launch it, or correct XINFERENCE_MODEL"
"""Messages for the operator, in the log and in the row."""

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


@contextmanager
def locked_models() -> Iterator[None]:
    """Lock all models in the order of their names, so that two transactions do not deadlock."""
    with transaction.atomic():
        list(ModelState.objects.select_for_update().order_by("name").values_list("pk"))
        yield


def record_models(*, seen: Sequence[ModelObservation], demo: bool, now: datetime) -> None:
    """Record what the model server serves.

    Models that it does not list are not ready, and are deleted after UNSERVED_RETENTION.
    """
    with locked_models():
        for model in storable(seen):
            record_model(model, demo=demo, now=now)
        unnamed = ModelState.objects.exclude(name__in=[model.name for model in seen])
        unnamed.update(
            ready=False,
            loading=False,
            replicas=0,
            checked_at=now,
            error_code=ErrorCode.MODEL_NOT_FOUND,
            error_detail=NOT_SERVED,
        )
        if settings.XINFERENCE_MODEL not in {model.name for model in seen}:
            ModelState.objects.get_or_create(
                name=settings.XINFERENCE_MODEL,
                defaults={
                    "checked_at": now,
                    "error_code": ErrorCode.MODEL_NOT_FOUND,
                    "error_detail": NOT_SERVED,
                },
            )
        delete_unserved_models(now=now)


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
    """Delete models that are no longer served, with their slots.

    The default model, paused models, those of unfinished tasks and those with a held slot are kept.
    """
    unfinished = GenerationTask.objects.unfinished().filter(model=OuterRef("name"))
    held = ModelSlot.objects.filter(model=OuterRef("name"), task__isnull=False)
    unserved = ModelState.objects.filter(seen_at__lt=now - UNSERVED_RETENTION).exclude(
        Q(name=settings.XINFERENCE_MODEL) | Q(paused=True) | Exists(unfinished) | Exists(held)
    )
    names = list(unserved.values_list("name", flat=True))
    if names:
        ModelSlot.objects.filter(model__in=names, task__isnull=True).delete()
        ModelState.objects.filter(name__in=names).delete()
    for name in names:
        logger.info("%s", log_line("model_forgotten", model=name))


def record_model(model: ModelObservation, *, demo: bool, now: datetime) -> None:
    state, created = ModelState.objects.get_or_create(
        name=model.name,
        defaults={"checked_at": now, "identity": model.identity, "identity_since": now},
    )
    state = ModelState.objects.select_for_update().get(pk=state.pk)
    if key_is_refused(now=now):
        return  # it was refused while this probe was running
    if not created and state.identity != model.identity:
        state.identity_since = now
    stale_process = is_lost_process(state, model.identity, now)
    state.ready = model.ready and not stale_process
    state.loading = model.loading or stale_process
    state.replicas = min(model.replicas, MAX_SLOTS)
    state.route, state.identity = model.route, model.identity
    state.demo, state.checked_at, state.seen_at = demo, now, now
    # refused_key is kept, because a process with another key may still need it
    state.error_code = model.error_code or ""
    state.error_detail = model.error_detail
    state.slots = min(model.slots, MAX_SLOTS)
    state.save()
    resize_slots(model.name, state.slots)


def record_lost_model(*, name: str, identity: str, now: datetime) -> None:
    """Record that the process `identity` died: not ready until another one replaces it."""
    ModelState.objects.filter(name=name, identity=identity).update(
        ready=False, loading=True, lost_identity=identity, lost_at=now
    )


def is_lost_process(state: ModelState, identity: str, now: datetime) -> bool:
    """Whether the server still lists a process that is known to have died."""
    if state.lost_at is None or state.lost_identity != identity:
        return False
    return now - state.lost_at < LOST_DURATION


def resize_slots(model: str, count: int) -> None:
    """Give the model `count` slots; a held slot beyond them is deleted once it is free."""
    count = min(count, MAX_SLOTS)
    known = set(ModelSlot.objects.filter(model=model).values_list("number", flat=True))
    missing = [ModelSlot(model=model, number=k) for k in range(1, count + 1) if k not in known]
    ModelSlot.objects.bulk_create(missing, ignore_conflicts=True)
    ModelSlot.objects.filter(model=model, number__gt=count, task__isnull=True).delete()


def record_unreachable(*, code: ErrorCode, now: datetime, detail: str = "") -> None:
    """Record that the model server does not respond, or not properly; claims stop until it does.

    `detail` is the message for the operator.
    """
    seen = {"checked_at": now, "error_code": code, "error_detail": detail}
    ModelState.objects.get_or_create(name=settings.XINFERENCE_MODEL, defaults=seen)
    with locked_models():
        ModelState.objects.update(ready=False, loading=False, **seen)


def key_fingerprint() -> str:
    """Digest of the key and the server, because another server has not refused the key."""
    parts = f"key:{settings.XINFERENCE_API_KEY}\0{settings.XINFERENCE_URL.rstrip('/')}"
    return hashlib.sha256(parts.encode()).hexdigest()


def key_use(*, early: bool = False, now: datetime) -> KeyUse:
    """Whether the key may be sent now; a refused one may be tried by one caller at a time.

    A try is due once the pause is over. `early`: it may come before, because a worker starts or an
    operator asks, and the key may have been accepted by the server since.
    """
    refused = ModelState.objects.filter(refused_key=key_fingerprint())
    if not refused.exists():
        return KeyUse.ALLOWED
    with locked_models():
        rows = list(refused.values_list("refused_until", "key_tried_at"))
        until = max((until for until, _tried in rows if until), default=now)
        tried = max((tried for _until, tried in rows if tried), default=None)
        rested = tried is None or now - tried >= KEY_TRY_INTERVAL
        if not rested or (until > now and not early):
            return KeyUse.REFUSED
        # no other process sends the key until the outcome of this try is known
        pause = max(until, now + KEY_TRY_INTERVAL)
        refused.update(key_tried_at=now, refused_until=pause)
    return KeyUse.TRIAL


def accept_key() -> None:
    """Record that the server accepted a key that it had refused."""
    ModelState.objects.filter(refused_key=key_fingerprint()).update(
        refused_key="", refused_until=None
    )


def refuse_key(*, now: datetime) -> None:
    """Record that the server refused the key: it is not sent until the pause is over."""
    record_unreachable(code=ErrorCode.KEY_REFUSED, now=now, detail=KEY_REFUSED)
    until = now + REFUSED_KEY_PAUSE
    with locked_models():
        ModelState.objects.update(refused_key=key_fingerprint(), refused_until=until)


def record_refused_key(*, now: datetime) -> None:
    """Record the refused key for models that no worker with an accepted key probes."""
    unseen = ModelState.objects.filter(checked_at__lt=now - UNSEEN_AFTER)
    refused = {"error_code": ErrorCode.KEY_REFUSED, "error_detail": KEY_REFUSED}
    with locked_models():
        unseen.update(ready=False, loading=False, checked_at=now, **refused)


def key_is_refused(*, now: datetime) -> bool:
    return ModelState.objects.filter(refused_key=key_fingerprint(), refused_until__gt=now).exists()


def callable_models(*, now: datetime) -> QuerySet[ModelState]:
    """Models that are ready, not paused, and may be called with the current key."""
    refused = {"refused_key": key_fingerprint(), "refused_until__gt": now}
    return ModelState.objects.filter(ready=True, paused=False).exclude(**refused)
