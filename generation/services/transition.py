"""The one private transition: compare and set, next seq, one log line, ring after commit."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F

from generation import broadcast
from generation.choices import (
    TERMINAL,
    UNFINISHED,
    Basis,
    EventKind,
    Step,
    TaskStatus,
)
from generation.exceptions import TransitionRefused
from generation.models import GeneratedImage, GenerationTask, TaskEvent
from generation.protocol import EndingData, encode, ending_data, event_frame


def transition(
    *,
    task_id: Any,
    kind: EventKind,
    sources: Collection[TaskStatus],
    now: datetime,
    fence: int | None = None,
    wanted: bool = False,
    details: dict[str, Any] | None = None,
    **changes: Any,
) -> GenerationTask:
    """Append one `kind` event and set `changes` on the row; returns the row as it then is.

    Raises TransitionRefused, with nothing written, unless the row's status is in `sources`, its
    attempt is `fence` (None: any) and, if `wanted`, nobody asked to cancel it.
    """
    with transaction.atomic():
        rows = GenerationTask.objects.filter(pk=task_id, status__in=sources)
        if fence is not None:
            rows = rows.filter(attempt=fence)
        if wanted:
            rows = rows.filter(cancel_requested_at__isnull=True)
        if not rows.update(newest_seq=F("newest_seq") + 1, **changes):
            raise TransitionRefused
        task = GenerationTask.objects.get(pk=task_id)
        append(task, kind, details or {}, now)
    return task


def append(task: GenerationTask, kind: EventKind, details: dict[str, Any], now: datetime) -> None:
    """Write the log line for the row's present state and ring once that is committed."""
    frame = encode(
        event_frame(
            task_id=str(task.pk),
            seq=task.newest_seq,
            kind=kind,
            status=TaskStatus(task.status),
            step=Step(task.step),
            progress=task.progress,
            basis=Basis(task.basis),
            eta_seconds=task.eta_seconds,
            attempt=task.attempt,
            image=task.image,
            details=details,
            timestamp=now.timestamp(),
            code=task.error_code,
            ending=ending_of(task, now) if task.status in TERMINAL else None,
        )
    )
    TaskEvent.objects.create(
        task=task,
        seq=task.newest_seq,
        kind=kind,
        step=task.step,
        progress=task.progress,
        attempt=task.attempt,
        details=details,
        frame=frame,
        created_at=now,
    )
    ring = partial(
        broadcast.ring_event,
        owner_id=task.owner_id,
        task_id=str(task.pk),
        seq=task.newest_seq,
        frame=frame,
    )
    transaction.on_commit(ring, robust=True)


def ending_of(task: GenerationTask, now: datetime) -> EndingData:
    images = GeneratedImage.objects.filter(task=task).order_by("index")
    return ending_data(created=now.timestamp(), images=[image.data for image in images])


RUNNING = frozenset({TaskStatus.RUNNING})
QUEUED = frozenset({TaskStatus.QUEUED})
ANY_UNFINISHED = frozenset(UNFINISHED)
