"""Claims: put queued tasks into free slots and begin their attempts."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, When

from generation import selectors
from generation.choices import Basis, EventKind, Route, Step, TaskStatus
from generation.compiled_query import CompiledQuery
from generation.duration_prior import size_bucket, task_seconds
from generation.exceptions import TransitionRefused
from generation.models import GenerationTask, ModelInstance, ModelSlot, ModelState
from generation.services.model_servers import is_paused_key
from generation.services.server_rests import begin_trial
from generation.services.transition import QUEUED, NewEvent, transition

CLAIM_TRIES = 5
"""Lost compare-and-set races before waiting for the next poll."""

MOMENT = timedelta(microseconds=1)
"""The smallest difference between two stored times."""

CALLABLE_INSTANCES = ModelInstance.objects.filter(
    ready=True, server__enabled=True, server__draining=False
).select_related("server")
CALLABLE_SLOTS = ModelSlot.objects.filter(
    task__isnull=True,
    instance__ready=True,
    instance__server__enabled=True,
    instance__server__draining=False,
)
"""Free slots of those instances."""

MODELS_WITH_WORK = CompiledQuery(
    ModelState.objects.filter(
        Exists(CALLABLE_SLOTS.filter(model=OuterRef("name"))),
        Exists(GenerationTask.objects.claimable().filter(model=OuterRef("name"))),
        ready=True,
        paused=False,
    )
    .order_by("name")
    .values_list("name")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A task in a slot; `missing` are the numbers of the images still to draw."""

    task: GenerationTask
    worker_id: uuid.UUID
    slot_id: int
    server_id: int
    route: Route
    identity: str
    launched_at: datetime | None
    demo: bool
    missing: tuple[int, ...]
    other_calls: int = 0
    """Of other programs, that ran or waited on the server; this one may wait behind them."""
    is_trial: bool = False
    """Whether its call tries a server after a rest."""
    is_watched: bool = False
    """Whether a call of its server failed lately, so that a success is worth recording."""


def claim(
    *,
    worker_id: uuid.UUID,
    now: datetime,
    most: int = 1,
    server_ids: Collection[int] | None = None,
) -> list[Claim]:
    """Claim up to `most` queued tasks for one model.

    `server_ids`: those that the worker can call; None if it can call all. Empty if no model has
    both a free slot and a queued task.
    """
    for name in models_with_work():
        for _attempt in range(CLAIM_TRIES):
            try:
                claims = claim_for(
                    name, worker_id=worker_id, now=now, most=most, server_ids=server_ids
                )
            except TransitionRefused:
                continue
            if claims:
                return claims
            break
    return []


def models_with_work() -> list[str]:
    """Models with a free slot and a queued task; most polls end after this one query."""
    return [name for (name,) in MODELS_WITH_WORK.rows()]


def claim_for(
    name: str,
    *,
    worker_id: uuid.UUID,
    now: datetime,
    most: int,
    server_ids: Collection[int] | None = None,
) -> list[Claim]:
    """Claim tasks for a model; raises TransitionRefused if other workers took all of them."""
    with transaction.atomic():
        keys = selectors.next_tasks(name, now, count=most)
        if not keys:
            return []
        allowed = allowed_instances(name, server_ids=server_ids, now=now)
        slots = lock_trial_slot(allowed, now)
        awake = [each for each in allowed if each.server.rested_until is None]
        slots += lock_slots(fastest_first(awake, keys[0]), len(keys) - len(slots))
        tasks = begin_attempts(keys[: len(slots)], worker_id=worker_id, now=now)
        if slots and not tasks:
            raise TransitionRefused
        return [
            fill_slot(slot, task, instance, worker_id=worker_id, now=now)
            for (slot, instance), task in zip(slots, tasks, strict=False)
        ]


def allowed_instances(
    name: str, *, server_ids: Collection[int] | None, now: datetime
) -> list[ModelInstance]:
    """Ready instances of a model on servers that may be called; some of these rest."""
    found = CALLABLE_INSTANCES.filter(model=name)
    if server_ids is not None:
        found = found.filter(server__in=server_ids)
    return [each for each in found if not is_paused_key(each.server, now=now)]


def lock_trial_slot(
    allowed: Sequence[ModelInstance], now: datetime
) -> list[tuple[ModelSlot, ModelInstance]]:
    """A slot of a server whose rest is over, if it may be tried; at once if all servers rest."""
    all_rest = all(each.server.rested_until is not None for each in allowed)
    for instance in allowed:
        until = instance.server.rested_until
        if until is None or not (until <= now or all_rest):
            continue
        # before the slot, as in every transaction, so that two do not deadlock
        if begin_trial(instance.server, now=now):
            return lock_slots([instance], 1)
    return []


def fastest_first(instances: Sequence[ModelInstance], first: uuid.UUID) -> list[ModelInstance]:
    """The instance first that draws the task `first` soonest.

    Those that did not draw this size yet come first, so that it is measured; then weight and name
    decide.
    """
    if len(instances) < 2:
        return list(instances)
    width, height = GenerationTask.objects.values_list("width", "height").get(pk=first)
    bucket = size_bucket(width, height)

    def rank(instance: ModelInstance) -> tuple[float, int, str]:
        return instance.paces.get(bucket, 0.0), -instance.server.weight, instance.server.name

    return sorted(instances, key=rank)


def lock_slots(
    instances: Sequence[ModelInstance], most: int
) -> list[tuple[ModelSlot, ModelInstance]]:
    """Up to `most` free slots, locked, in the order of the instances.

    No more slots than tasks: a worker that finds all slots locked sees no work.
    """
    by_key = {instance.pk: instance for instance in instances}
    order = [When(instance=key, then=rank) for rank, key in enumerate(by_key)]
    # the state is read with the lock: it may have changed since the instances were read
    free = CALLABLE_SLOTS.filter(instance__in=by_key, number__lte=F("instance__slots"))
    ordered = free.order_by(Case(*order), "number") if len(order) > 1 else free.order_by("number")
    locked = ordered.select_for_update(skip_locked=True, of=("self",))[:most] if by_key else ()
    return [(slot, by_key[slot.instance_id]) for slot in locked if slot.instance_id is not None]


def fill_slot(
    slot: ModelSlot,
    task: GenerationTask,
    instance: ModelInstance,
    *,
    worker_id: uuid.UUID,
    now: datetime,
) -> Claim:
    held = {
        "task": task,
        "attempt": task.attempt,
        "request_id": None,
        "identity": instance.identity,
        "worker_id": worker_id,
        "lease_until": now + settings.GENERATION_LEASE,
    }
    ModelSlot.objects.filter(pk=slot.pk).update(**held)
    # before the first attempt no image exists
    drawn = task.images.values_list("index", flat=True) if task.attempt > 1 else ()
    stored = set(drawn)
    return Claim(
        task=task,
        worker_id=worker_id,
        slot_id=slot.pk,
        server_id=instance.server_id,
        route=Route(instance.route),
        identity=instance.identity,
        launched_at=instance.identity_since,
        demo=instance.server.is_demo,
        other_calls=instance.other_calls or 0,
        is_trial=instance.server.rested_until is not None,
        is_watched=bool(instance.server.recent_calls),
        missing=tuple(index for index in range(1, task.image_count + 1) if index not in stored),
    )


def begin_attempts(
    keys: Sequence[uuid.UUID], *, worker_id: uuid.UUID, now: datetime
) -> list[GenerationTask]:
    """The tasks with their new attempts, without those that another worker has claimed."""
    # distinct times keep the order of the owners' next turns
    served = {key: now + number * MOMENT for number, key in enumerate(keys)}
    begun = []
    # one order for all workers, so that two that claim the same tasks do not deadlock
    for task in GenerationTask.objects.waiting().filter(pk__in=keys).order_by("pk"):
        try:
            begin_attempt(task, worker_id=worker_id, claimed_at=served[task.pk], now=now)
        except TransitionRefused:
            continue
        begun.append(task)
    return sorted(begun, key=lambda task: served[task.pk])


def begin_attempt(
    task: GenerationTask, *, worker_id: uuid.UUID, claimed_at: datetime, now: datetime
) -> None:
    """Begin an attempt; raises TransitionRefused if the task changed since it was read."""
    claimed = NewEvent(
        kind=EventKind.CLAIMED,
        details={"worker": str(worker_id)[:8]},
        changes={
            "status": TaskStatus.RUNNING,
            "attempt": task.attempt + 1,
            "claimed_at": claimed_at,
            "step": task.step,
            "basis": task.basis,
            "eta_seconds": task.eta_seconds,
        },
    )
    loading = NewEvent(
        kind=EventKind.STEP_BEGAN,
        details={"observed": True},
        changes={
            "step": Step.LOADING,
            "basis": Basis.MEASURED,
            "eta_seconds": task_seconds(task.expected_durations, task.image_count),
        },
    )
    # the task was queued when it was read; the fence refuses it if it was claimed since
    row = transition(
        task_id=task.pk,
        events=[claimed, loading],
        sources=QUEUED,
        fence=task.attempt,
        wanted=True,
        now=now,
    )
    for name, value in row._asdict().items():
        setattr(task, name, value)
    task.claimed_at = claimed_at
