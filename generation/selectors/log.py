"""The only reader of the log."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from generation.choices import TERMINAL, EventKind, InterruptReason
from generation.models import GenerationTask, TaskEvent
from generation.protocol import EventFrame, TaskState, empty_state, fold

PAGE_EVENTS = 1_000
"""Events per read; with frames of about 300 bytes a page stays near 256 KiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """Frames in order of seq, as they go over the wire; `more`: read again after the last."""

    frames: list[tuple[int, str]]
    more: bool


def log_after(*, task_id: str, after: int, limit: int = PAGE_EVENTS) -> LogPage:
    rows = (
        TaskEvent.objects.filter(task_id=uuid.UUID(task_id), seq__gt=after)
        .order_by("seq")
        .values_list("seq", "frame")
    )
    frames = list(rows[:limit])
    return LogPage(frames=frames, more=len(frames) == limit)


def newest_seqs(task_ids: Collection[str]) -> dict[str, tuple[int, bool]]:
    """(newest_seq, is it over) of every task of `task_ids` that exists; one query."""
    rows = GenerationTask.objects.filter(pk__in=task_ids)
    return {
        str(key): (seq, status in TERMINAL)
        for key, seq, status in rows.values_list("pk", "newest_seq", "status")
    }


def interruptions(task_id: uuid.UUID, reason: InterruptReason) -> int:
    """How often attempts of the task were interrupted for this reason."""
    return TaskEvent.objects.filter(
        task_id=task_id, kind=EventKind.INTERRUPTED, details__reason=reason
    ).count()


def state_of(task_id: uuid.UUID) -> TaskState:
    """The fold of the whole log of one task."""
    frames = (
        TaskEvent.objects.filter(task_id=task_id).order_by("seq").values_list("frame", flat=True)
    )
    decoded: list[EventFrame] = [json.loads(frame) for frame in frames]
    return fold(empty_state(str(task_id)), decoded)
