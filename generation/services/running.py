"""What a worker writes while it works; every line is fenced by status and attempt."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F

from generation import selectors
from generation.choices import Basis, DelayReason, EventKind, Route, Step, TaskStatus
from generation.exceptions import TransitionRefused
from generation.images import Picture
from generation.models import GeneratedImage, GenerationTask, ModelSlot
from generation.services.serving import callable_models
from generation.services.transition import QUEUED, RUNNING, transition

CLAIM_TRIES = 5
"""How many losers' races in a row before the next look at the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A task in a slot; `missing` are the picture numbers still to draw."""

    task: GenerationTask
    slot_id: int
    route: Route
    identity: str
    launched_at: datetime | None
    demo: bool
    missing: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """A step that began; `observed` False: noticed only after it had passed."""

    step: Step
    progress: float
    basis: Basis
    eta_seconds: float | None
    image: int
    observed: bool = True
    details: dict[str, Any]


def claim(*, worker_id: uuid.UUID, now: datetime) -> Claim | None:
    """Put the next task in line into a free slot, or None if there is no pair of the two."""
    for name in callable_models(now=now).order_by("name").values_list("name", flat=True):
        for _attempt in range(CLAIM_TRIES):
            try:
                claimed = claim_for(name, worker_id=worker_id, now=now)
            except TransitionRefused:
                continue
            if claimed is None:
                break
            return claimed
    return None


def claim_for(name: str, *, worker_id: uuid.UUID, now: datetime) -> Claim | None:
    with transaction.atomic():
        free = ModelSlot.objects.filter(model=name, task__isnull=True)
        slot = free.select_for_update(skip_locked=True).order_by("number").first()
        # asked here: whoever waited for the lock may know an older state
        state = callable_models(now=now).filter(name=name).first()
        if slot is None or state is None or slot.number > state.slots:
            return None
        key = selectors.next_in_line(name, now)
        if key is None:
            return None
        task = begin_attempt(key, worker_id=worker_id, now=now)
        stored = set(task.images.values_list("index", flat=True))
        slot.task = task
        slot.attempt = task.attempt
        slot.request_id = None
        slot.identity = state.identity
        slot.worker_id = worker_id
        slot.lease_until = now + settings.GENERATION_LEASE
        slot.save()
    return Claim(
        task=task,
        slot_id=slot.pk,
        route=Route(state.route),
        identity=state.identity,
        launched_at=state.identity_since,
        demo=state.demo,
        missing=tuple(index for index in range(1, task.n + 1) if index not in stored),
    )


def begin_attempt(key: uuid.UUID, *, worker_id: uuid.UUID, now: datetime) -> GenerationTask:
    task = transition(
        task_id=key,
        kind=EventKind.CLAIMED,
        sources=QUEUED,
        wanted=True,
        now=now,
        details={"worker": str(worker_id)[:8]},
        status=TaskStatus.RUNNING,
        attempt=F("attempt") + 1,
        claimed_at=now,
    )
    return transition(
        task_id=key,
        kind=EventKind.STEP_BEGAN,
        sources=RUNNING,
        fence=task.attempt,
        now=now,
        details={"observed": True},
        step=Step.LOADING,
        basis=Basis.MEASURED,
        eta_seconds=selectors.task_seconds(task.expected, task.n),
    )


def begin_call(
    *,
    task_id: uuid.UUID,
    attempt: int,
    slot_id: int,
    request_id: uuid.UUID,
    seed: int,
    boundary: Boundary,
    now: datetime,
) -> GenerationTask:
    """Fix the parameters of one picture and the id its call will have.

    Raises TransitionRefused if the task or the slot is not this attempt's any more.
    """
    with transaction.atomic():
        task = write_boundary(
            task_id=task_id, attempt=attempt, boundary=boundary, now=now, drawn_seed=seed
        )
        mine = ModelSlot.objects.filter(pk=slot_id, task=task_id, attempt=attempt)
        if not mine.update(request_id=request_id):
            raise TransitionRefused
    return task


def begin_steps(
    *, task_id: uuid.UUID, attempt: int, boundaries: Sequence[Boundary], now: datetime
) -> None:
    """Write boundaries that passed, oldest first, in one transaction."""
    with transaction.atomic():
        for boundary in boundaries:
            write_boundary(task_id=task_id, attempt=attempt, boundary=boundary, now=now)


def write_boundary(
    *, task_id: uuid.UUID, attempt: int, boundary: Boundary, now: datetime, **changes: Any
) -> GenerationTask:
    return transition(
        task_id=task_id,
        kind=EventKind.STEP_BEGAN,
        sources=RUNNING,
        fence=attempt,
        now=now,
        details={"observed": boundary.observed, **boundary.details},
        step=boundary.step,
        progress=boundary.progress,
        basis=boundary.basis,
        eta_seconds=boundary.eta_seconds,
        image=boundary.image,
        **changes,
    )


def record_progress(
    *,
    task_id: uuid.UUID,
    attempt: int,
    progress: float,
    eta_seconds: float,
    fraction: float,
    done: int,
    total: int,
    now: datetime,
) -> None:
    """A measured fraction of the picture that is being generated."""
    transition(
        task_id=task_id,
        kind=EventKind.PROGRESSED,
        sources=RUNNING,
        fence=attempt,
        now=now,
        details={"fraction": round(fraction, 4), "done": done, "total": total},
        progress=progress,
        basis=Basis.MEASURED,
        eta_seconds=eta_seconds,
    )


def store_image(
    *,
    task_id: uuid.UUID,
    attempt: int,
    index: int,
    name: str,
    picture: Picture,
    seed: int,
    demo: bool,
    progress: float,
    eta_seconds: float,
    now: datetime,
) -> GeneratedImage:
    """The row of a picture whose file is in place; refused once a cancel was requested.

    Stored already under this name (the answer to an earlier try was lost): that row again.
    """
    with transaction.atomic():
        stored = GeneratedImage.objects.filter(task=task_id, index=index, file=name).first()
        if stored is not None:
            return stored
        image = GeneratedImage(
            task_id=task_id,
            index=index,
            file=name,
            width=picture.width,
            height=picture.height,
            seed=seed,
            bytes=len(picture.data),
            sha256=picture.sha256,
            demo=demo,
        )
        transition(
            task_id=task_id,
            kind=EventKind.IMAGE_STORED,
            sources=RUNNING,
            fence=attempt,
            wanted=True,
            now=now,
            details={"image": image.data, "bytes": image.bytes},
            progress=progress,
            basis=Basis.MEASURED,
            eta_seconds=eta_seconds,
        )
        image.save(force_insert=True)
    return image


def record_thumbnail(*, image_id: int, name: str) -> bool:
    """Whether the picture still existed."""
    return bool(GeneratedImage.objects.filter(pk=image_id).update(thumbnail=name))


def delay(
    *, task_id: uuid.UUID, attempt: int, reason: DelayReason, wait: timedelta, now: datetime
) -> None:
    """The model asked us to come back; the slot is kept."""
    transition(
        task_id=task_id,
        kind=EventKind.DELAYED,
        sources=RUNNING,
        fence=attempt,
        now=now,
        details={"reason": reason.value, "until": round((now + wait).timestamp(), 3)},
        eta_seconds=None,
    )


def still_mine(*, task_id: uuid.UUID, attempt: int) -> bool:
    """Asked right before something that cannot be taken back."""
    return (
        GenerationTask.objects.running()
        .filter(pk=task_id, attempt=attempt, cancel_requested_at__isnull=True)
        .exists()
    )
