"""What the model server serves: models, how many calls each may have, and the refused key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from generation.choices import ErrorCode, Route
from generation.models import ModelSlot, ModelState

REFUSED_KEY_PAUSE = timedelta(minutes=15)
"""Ten bad tries in five minutes ban our address for an hour, good keys too."""

UNSEEN = timedelta(seconds=15)
"""Three looks of a worker: after that nobody looks any more."""

KEY_REFUSED = "the model server refused our key: correct XINFERENCE_API_KEY and restart the workers"
NOT_SERVED = "the model server does not serve this model: launch it, or correct XINFERENCE_MODEL"
"""Sentences for the operator, in the log and beside the row."""

LOST_FOR = timedelta(seconds=60)
"""A dead model process is named READY for seconds and replaced within 14; then we believe again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenModel:
    """What a worker saw of one model; `slots` is how many calls it may have in flight."""

    name: str
    route: Route
    ready: bool
    loading: bool
    replicas: int
    identity: str
    slots: int


@contextmanager
def in_order() -> Iterator[None]:
    """Lock the models by name, as whoever looks at them does: two must not wait crosswise."""
    with transaction.atomic():
        list(ModelState.objects.select_for_update().order_by("name").values_list("pk"))
        yield


def record_models(*, seen: Sequence[SeenModel], demo: bool, now: datetime) -> None:
    """What the model server serves now; models it does not name are not ready."""
    with in_order():
        for model in sorted(seen, key=lambda each: each.name):
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


def record_model(model: SeenModel, *, demo: bool, now: datetime) -> None:
    state, created = ModelState.objects.get_or_create(
        name=model.name,
        defaults={"checked_at": now, "identity": model.identity, "identity_since": now},
    )
    state = ModelState.objects.select_for_update().get(pk=state.pk)
    if key_is_refused(now=now):
        return  # it was refused while this look was under way
    if not created and state.identity != model.identity:
        state.identity_since = now
    haunted = is_lost(state, model.identity, now)
    state.ready = model.ready and not haunted
    state.loading = model.loading or haunted
    state.replicas, state.route, state.identity = model.replicas, model.route, model.identity
    state.demo, state.checked_at = demo, now
    # who still has another key must go on knowing that it was refused: that stays
    state.error_code, state.error_detail, state.slots = "", "", model.slots
    state.save()
    size_slots(model.name, model.slots)


def record_lost(*, name: str, identity: str, now: datetime) -> None:
    """The process behind `identity` died: not ready until another one stands in its place."""
    ModelState.objects.filter(name=name, identity=identity).update(
        ready=False, loading=True, lost_identity=identity, lost_at=now
    )


def is_lost(state: ModelState, identity: str, now: datetime) -> bool:
    """Whether the server still names a process that we saw dying."""
    if state.lost_at is None or state.lost_identity != identity:
        return False
    return now - state.lost_at < LOST_FOR


def size_slots(model: str, count: int) -> None:
    """As many slots as calls may be in flight; a held one above that is used up and then goes."""
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
    with in_order():
        ModelState.objects.update(ready=False, loading=False, **seen)


def key_fingerprint() -> str:
    return hashlib.sha256(b"key:" + settings.XINFERENCE_API_KEY.encode()).hexdigest()


def refuse_key(*, now: datetime) -> None:
    """The server refused our key: nobody sends it for a while, or until it changes."""
    record_unreachable(code=ErrorCode.KEY_REFUSED, now=now, detail=KEY_REFUSED)
    until = now + REFUSED_KEY_PAUSE
    with in_order():
        ModelState.objects.update(refused_key=key_fingerprint(), refused_until=until)


def repeat_refusal(*, now: datetime) -> None:
    """Say of models that nobody with a better key looks at that ours is refused."""
    unseen = ModelState.objects.filter(checked_at__lt=now - UNSEEN)
    refused = {"error_code": ErrorCode.KEY_REFUSED, "error_detail": KEY_REFUSED}
    with in_order():
        unseen.update(ready=False, loading=False, checked_at=now, **refused)


def key_is_refused(*, now: datetime) -> bool:
    return ModelState.objects.filter(refused_key=key_fingerprint(), refused_until__gt=now).exists()


def callable_models(*, now: datetime) -> QuerySet[ModelState]:
    """Models that are ready, as far as our key may be sent."""
    refused = {"refused_key": key_fingerprint(), "refused_until__gt": now}
    return ModelState.objects.filter(ready=True).exclude(**refused)
