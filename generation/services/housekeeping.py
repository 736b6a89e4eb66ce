"""Workers, models, slots and tokens: what is written beside the tasks."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from generation import selectors
from generation.choices import ErrorCode, InterruptReason, Route, TaskStatus, WorkerState
from generation.exceptions import TransitionRefused
from generation.models import ApiToken, ModelSlot, ModelState, Worker
from generation.services.ending import interrupt

if TYPE_CHECKING:
    from django.contrib.auth.models import User

REFUSED_KEY_PAUSE = timedelta(minutes=15)
"""Ten bad tries in five minutes ban our address for an hour, good keys too."""

LOST_FOR = timedelta(seconds=60)
"""A dead model process is named READY for seconds and replaced within 14; then we believe again."""

TOKEN_USE_GRAIN = timedelta(minutes=1)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Abandoned:
    """A slot whose worker is gone; the taker ends the call, then settles the slot."""

    slot_id: int
    task_id: uuid.UUID
    attempt: int
    model: str
    route: Route
    request_id: uuid.UUID | None
    identity: str
    stall: timedelta


def register_worker(*, host: str, pid: int, version: str, now: datetime) -> Worker:
    return Worker.objects.create(host=host, pid=pid, version=version, started=now, last_seen=now)


def retire_worker(*, worker_id: uuid.UUID, now: datetime) -> None:
    Worker.objects.filter(pk=worker_id).update(state=WorkerState.STOPPED, slots=0, last_seen=now)


def beat(
    *, worker_id: uuid.UUID, slot_ids: Collection[int], draining: bool, now: datetime
) -> list[uuid.UUID]:
    """Prolong the leases of the worker's slots; ids of its tasks that somebody wants cancelled.

    A lease that has expired is not prolonged: somebody else may be taking the slot over.
    """
    state = WorkerState.DRAINING if draining else WorkerState.RUNNING
    with transaction.atomic():
        Worker.objects.filter(pk=worker_id).update(last_seen=now, slots=len(slot_ids), state=state)
        held = ModelSlot.objects.filter(pk__in=slot_ids, worker=worker_id, lease_until__gte=now)
        held.update(lease_until=now + settings.GENERATION_LEASE)
    return cancels_of(worker_id)


def cancels_of(worker_id: uuid.UUID) -> list[uuid.UUID]:
    slots = ModelSlot.objects.filter(worker=worker_id, task__cancel_requested_at__isnull=False)
    return [key for key in slots.values_list("task", flat=True) if key is not None]


def record_models(*, seen: Sequence[SeenModel], demo: bool, now: datetime) -> None:
    """What the model server serves now; models it does not name are not ready."""
    with transaction.atomic():
        for model in seen:
            record_model(model, demo=demo, now=now)
        unnamed = ModelState.objects.exclude(name__in=[model.name for model in seen])
        unnamed.update(
            ready=False,
            loading=False,
            replicas=0,
            checked_at=now,
            error_code=ErrorCode.MODEL_NOT_FOUND,
        )
        if settings.XINFERENCE_MODEL not in {model.name for model in seen}:
            ModelState.objects.get_or_create(
                name=settings.XINFERENCE_MODEL,
                defaults={"checked_at": now, "error_code": ErrorCode.MODEL_NOT_FOUND},
            )


def record_model(model: SeenModel, *, demo: bool, now: datetime) -> None:
    state, created = ModelState.objects.get_or_create(
        name=model.name,
        defaults={"checked_at": now, "identity": model.identity, "identity_since": now},
    )
    if not created and state.identity != model.identity:
        state.identity_since = now
    haunted = is_lost(state, model.identity, now)
    state.ready = model.ready and not haunted
    state.loading = model.loading or haunted
    state.replicas, state.route, state.identity = model.replicas, model.route, model.identity
    state.demo, state.checked_at = demo, now
    state.error_code, state.refused_key, state.refused_until = "", "", None
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
    """As many slots as calls may be in flight; a held one above that goes once it is free."""
    known = set(ModelSlot.objects.filter(model=model).values_list("number", flat=True))
    missing = [ModelSlot(model=model, number=k) for k in range(1, count + 1) if k not in known]
    ModelSlot.objects.bulk_create(missing, ignore_conflicts=True)
    ModelSlot.objects.filter(model=model, number__gt=count, task__isnull=True).delete()


def record_unreachable(*, code: ErrorCode, now: datetime) -> None:
    """The model server does not answer (properly): nobody claims until it does."""
    default = {"checked_at": now, "error_code": code}
    ModelState.objects.get_or_create(name=settings.XINFERENCE_MODEL, defaults=default)
    ModelState.objects.update(ready=False, loading=False, checked_at=now, error_code=code)


def key_fingerprint() -> str:
    return hashlib.sha256(b"key:" + settings.XINFERENCE_API_KEY.encode()).hexdigest()


def refuse_key(*, now: datetime) -> None:
    """The server refused our key: nobody sends it for a while, or until it changes."""
    record_unreachable(code=ErrorCode.KEY_REFUSED, now=now)
    ModelState.objects.update(refused_key=key_fingerprint(), refused_until=now + REFUSED_KEY_PAUSE)


def key_is_refused(*, now: datetime) -> bool:
    return ModelState.objects.filter(refused_key=key_fingerprint(), refused_until__gt=now).exists()


def expire_leases(*, worker_id: uuid.UUID, now: datetime) -> list[Abandoned]:
    """Take over slots whose lease has run out; their running tasks become `interrupted`."""
    taken: list[Abandoned] = []
    expired = ModelSlot.objects.filter(task__isnull=False, lease_until__lt=now)
    for slot_id in expired.order_by("lease_until").values_list("pk", flat=True):
        abandoned = take_over_slot(slot_id=slot_id, worker_id=worker_id, now=now)
        if abandoned is not None:
            taken.append(abandoned)
    return taken


def expire_worker(*, worker_id: uuid.UUID, now: datetime) -> None:
    """The process is known to be dead: its leases end now instead of later."""
    a_moment_ago = now - timedelta(microseconds=1)
    with transaction.atomic():
        ModelSlot.objects.filter(worker=worker_id, lease_until__gte=now).update(
            lease_until=a_moment_ago
        )
        retire_worker(worker_id=worker_id, now=now)


def take_over_slot(*, slot_id: int, worker_id: uuid.UUID, now: datetime) -> Abandoned | None:
    """Make an expired slot ours, or None if another worker was faster."""
    with transaction.atomic():
        expired = ModelSlot.objects.filter(pk=slot_id).filter(
            Q(lease_until__lt=now), task__isnull=False
        )
        if not expired.update(worker=worker_id, lease_until=now + settings.GENERATION_LEASE):
            return None
        slot = ModelSlot.objects.select_related("task").get(pk=slot_id)
        task = slot.task
        assert task is not None  # the update above asked for it
        if task.status == TaskStatus.RUNNING and task.attempt == slot.attempt:
            interrupt_silent(task.pk, slot.attempt, now)
    return Abandoned(
        slot_id=slot.pk,
        task_id=task.pk,
        attempt=slot.attempt,
        model=slot.model,
        route=route_of(slot.model),
        request_id=slot.request_id,
        identity=slot.identity,
        stall=selectors.stall_limit(task.expected),
    )


def route_of(model: str) -> Route:
    route = ModelState.objects.filter(name=model).values_list("route", flat=True).first()
    return Route(route) if route else Route.TXT2IMG


def interrupt_silent(task_id: uuid.UUID, attempt: int, now: datetime) -> None:
    """`lease_expired`, unless the old worker ended the attempt in this very moment."""
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


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def create_token(*, owner: User, name: str, now: datetime) -> str:
    """A new token in clear; only its digest is kept."""
    token = f"lj-{secrets.token_urlsafe(32)}"
    ApiToken.objects.create(digest=digest_of(token), owner=owner, name=name, created=now)
    return token


def user_of_token(*, token: str, now: datetime) -> User | None:
    """The token's owner, or None; remembers its use to the minute."""
    row = ApiToken.objects.select_related("owner").filter(digest=digest_of(token)).first()
    if row is None:
        return None
    if row.last_used is None or now - row.last_used > TOKEN_USE_GRAIN:
        ApiToken.objects.filter(pk=row.pk).update(last_used=now)
    owner: User = row.owner
    return owner
