"""Claims: put queued tasks into free slots and begin their attempts."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef

from generation import selectors
from generation.choices import Basis, EventKind, Route, Step, TaskStatus
from generation.duration_prior import task_seconds
from generation.exceptions import TransitionRefused
from generation.models import GenerationTask, ModelSlot, ModelState
from generation.services.model_status import callable_models
from generation.services.transition import QUEUED, NewEvent, transition

CLAIM_TRIES = 5
"""Lost compare-and-set races before waiting for the next poll."""

MOMENT = timedelta(microseconds=1)
"""The smallest difference between two stored times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A task in a slot; `missing` are the numbers of the images still to draw."""

    task: GenerationTask
    worker_id: uuid.UUID
    slot_id: int
    route: Route
    identity: str
    launched_at: datetime | None
    demo: bool
    missing: tuple[int, ...]


def claim(*, worker_id: uuid.UUID, now: datetime, most: int = 1) -> list[Claim]:
    """Claim up to `most` queued tasks for one model.

    Empty if no model has both a free slot and a queued task.
    """
    for name in models_with_work(now):
        for _attempt in range(CLAIM_TRIES):
            try:
                claims = claim_for(name, worker_id=worker_id, now=now, most=most)
            except TransitionRefused:
                continue
            if claims:
                return claims
            break
    return []


def models_with_work(now: datetime) -> list[str]:
    """Models with a free slot and a queued task; most polls end after this one query."""
    free = ModelSlot.objects.filter(model=OuterRef("name"), task__isnull=True)
    waiting = GenerationTask.objects.claimable().filter(model=OuterRef("name"))
    models = callable_models(now=now).filter(Exists(free), Exists(waiting))
    return list(models.order_by("name").values_list("name", flat=True))


def claim_for(name: str, *, worker_id: uuid.UUID, now: datetime, most: int) -> list[Claim]:
    """Claim tasks for a model; raises TransitionRefused if other workers took all of them."""
    with transaction.atomic():
        keys = selectors.next_tasks(name, now, count=most)
        free = ModelSlot.objects.filter(model=name, task__isnull=True)
        # lock no more slots than tasks: a worker that finds all slots locked sees no work
        slots = list(free.select_for_update(skip_locked=True).order_by("number")[: len(keys)])
        # read after the lock: the state may have changed while this transaction waited
        state = callable_models(now=now).filter(name=name).first()
        if state is None:
            return []
        slots = [slot for slot in slots if slot.number <= state.slots]
        tasks = begin_attempts(keys[: len(slots)], worker_id=worker_id, now=now)
        if slots and not tasks:
            raise TransitionRefused
        return [
            fill_slot(slot, task, state, worker_id=worker_id, now=now)
            for slot, task in zip(slots, tasks, strict=False)
        ]


def fill_slot(
    slot: ModelSlot, task: GenerationTask, state: ModelState, *, worker_id: uuid.UUID, now: datetime
) -> Claim:
    held = {
        "task": task,
        "attempt": task.attempt,
        "request_id": None,
        "identity": state.identity,
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
        route=Route(state.route),
        identity=state.identity,
        launched_at=state.identity_since,
        demo=state.demo,
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
