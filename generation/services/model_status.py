"""What the model server serves: models, how many calls each may have, and the refused key."""

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

from accounts.log_escaping import log_line
from generation.choices import ErrorCode, KeyUse, Route
from generation.limits import MAX_MODELS, MAX_SLOTS
from generation.log_lines import LogRateLimit
from generation.models import GenerationTask, ModelSlot, ModelState

logger = logging.getLogger(__name__)

UNSERVED_KEPT = timedelta(hours=1)
"""A model that the server has not named for so long is not offered any more."""

REFUSED_KEY_PAUSE = timedelta(minutes=15)
"""Ten bad tries in five minutes ban our address for an hour, good keys too."""

KEY_TRIES_APART = timedelta(seconds=60)
"""Between tries of a refused key by any process: five in five minutes at most, however many workers
start and however often they crash."""

UNSEEN_AFTER = timedelta(seconds=15)
"""Three looks of a worker: after that nobody looks any more."""

KEY_REFUSED = "the model server refused our key: correct XINFERENCE_API_KEY and restart the workers"
NOT_SERVED = "the model server does not serve this model: launch it, or correct XINFERENCE_MODEL"
"""Sentences for the operator, in the log and beside the row."""

LOST_FOR = timedelta(seconds=60)
"""A dead model process is named READY for seconds and replaced within 14; then we believe again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelObservation:
    """What a worker saw of one model; `slots` is how many calls it may have in flight."""

    name: str
    route: Route
    ready: bool
    loading: bool
    replicas: int
    identity: str
    slots: int
    error_code: ErrorCode | None = None
    """Why it cannot be used although the server calls it ready."""
    error_detail: str = ""


@contextmanager
def locked_models() -> Iterator[None]:
    """Lock the models by name, as whoever looks at them does: two must not wait crosswise."""
    with transaction.atomic():
        list(ModelState.objects.select_for_update().order_by("name").values_list("pk"))
        yield


def record_models(*, seen: Sequence[ModelObservation], demo: bool, now: datetime) -> None:
    """What the model server serves now; models it does not name are not ready, then forgotten."""
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
"""Every worker meets the same at every look."""


def storable(seen: Sequence[ModelObservation]) -> list[ModelObservation]:
    """By name; new models only while there is room for them, the default one first."""
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
    """Delete models that are not served any more, with their slots.

    One that an unfinished task names, or whose slot is held, stays; so does the default model.
    """
    unfinished = GenerationTask.objects.unfinished().filter(model=OuterRef("name"))
    held = ModelSlot.objects.filter(model=OuterRef("name"), task__isnull=False)
    gone = ModelState.objects.filter(seen_at__lt=now - UNSERVED_KEPT).exclude(
        Q(name=settings.XINFERENCE_MODEL) | Exists(unfinished) | Exists(held)
    )
    names = list(gone.values_list("name", flat=True))
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
        return  # it was refused while this look was under way
    if not created and state.identity != model.identity:
        state.identity_since = now
    stale_process = is_lost_process(state, model.identity, now)
    state.ready = model.ready and not stale_process
    state.loading = model.loading or stale_process
    state.replicas = min(model.replicas, MAX_SLOTS)
    state.route, state.identity = model.route, model.identity
    state.demo, state.checked_at, state.seen_at = demo, now, now
    # who still has another key must go on knowing that it was refused: that stays
    state.error_code = model.error_code or ""
    state.error_detail = model.error_detail
    state.slots = min(model.slots, MAX_SLOTS)
    state.save()
    resize_slots(model.name, state.slots)


def record_lost_model(*, name: str, identity: str, now: datetime) -> None:
    """The process behind `identity` died: not ready until another one stands in its place."""
    ModelState.objects.filter(name=name, identity=identity).update(
        ready=False, loading=True, lost_identity=identity, lost_at=now
    )


def is_lost_process(state: ModelState, identity: str, now: datetime) -> bool:
    """Whether the server still names a process that we saw dying."""
    if state.lost_at is None or state.lost_identity != identity:
        return False
    return now - state.lost_at < LOST_FOR


def resize_slots(model: str, count: int) -> None:
    """As many slots as calls may be in flight; a held one above that is used up and then goes."""
    count = min(count, MAX_SLOTS)
    known = set(ModelSlot.objects.filter(model=model).values_list("number", flat=True))
    missing = [ModelSlot(model=model, number=k) for k in range(1, count + 1) if k not in known]
    ModelSlot.objects.bulk_create(missing, ignore_conflicts=True)
    ModelSlot.objects.filter(model=model, number__gt=count, task__isnull=True).delete()


def record_unreachable(*, code: ErrorCode, now: datetime, detail: str = "") -> None:
    """The model server does not answer (properly): nobody claims until it does.

    `detail`: the sentence for the operator.
    """
    seen = {"checked_at": now, "error_code": code, "error_detail": detail}
    ModelState.objects.get_or_create(name=settings.XINFERENCE_MODEL, defaults=seen)
    with locked_models():
        ModelState.objects.update(ready=False, loading=False, **seen)


def key_fingerprint() -> str:
    """Of the key and the server that it is sent to: another server has refused nothing yet."""
    parts = f"key:{settings.XINFERENCE_API_KEY}\0{settings.XINFERENCE_URL.rstrip('/')}"
    return hashlib.sha256(parts.encode()).hexdigest()


def key_use(*, early: bool = False, now: datetime) -> KeyUse:
    """Whether our key may be sent now; of a refused one, one caller gets the next try.

    It is due once the pause is over. `early`: a worker starts or an operator asks, and the key may
    have been repaired on the server.
    """
    refused = ModelState.objects.filter(refused_key=key_fingerprint())
    if not refused.exists():
        return KeyUse.ALLOWED
    with locked_models():
        rows = list(refused.values_list("refused_until", "key_tried_at"))
        until = max((until for until, _tried in rows if until), default=now)
        tried = max((tried for _until, tried in rows if tried), default=None)
        rested = tried is None or now - tried >= KEY_TRIES_APART
        if not rested or (until > now and not early):
            return KeyUse.REFUSED
        # until the outcome of this try is known, no other process sends the key
        pause = max(until, now + KEY_TRIES_APART)
        refused.update(key_tried_at=now, refused_until=pause)
    return KeyUse.TRIAL


def accept_key() -> None:
    """The server took our key after all."""
    ModelState.objects.filter(refused_key=key_fingerprint()).update(
        refused_key="", refused_until=None
    )


def refuse_key(*, now: datetime) -> None:
    """The server refused our key: nobody sends it for a while, or until it changes."""
    record_unreachable(code=ErrorCode.KEY_REFUSED, now=now, detail=KEY_REFUSED)
    until = now + REFUSED_KEY_PAUSE
    with locked_models():
        ModelState.objects.update(refused_key=key_fingerprint(), refused_until=until)


def record_refused_key(*, now: datetime) -> None:
    """Say of models that nobody with a better key looks at that ours is refused."""
    unseen = ModelState.objects.filter(checked_at__lt=now - UNSEEN_AFTER)
    refused = {"error_code": ErrorCode.KEY_REFUSED, "error_detail": KEY_REFUSED}
    with locked_models():
        unseen.update(ready=False, loading=False, checked_at=now, **refused)


def key_is_refused(*, now: datetime) -> bool:
    return ModelState.objects.filter(refused_key=key_fingerprint(), refused_until__gt=now).exists()


def callable_models(*, now: datetime) -> QuerySet[ModelState]:
    """Models that are ready, as far as our key may be sent."""
    refused = {"refused_key": key_fingerprint(), "refused_until__gt": now}
    return ModelState.objects.filter(ready=True).exclude(**refused)
