"""Reads the event log; no other module does."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q

from generation import sql
from generation.choices import TERMINAL, EventKind, InterruptReason
from generation.models import GenerationTask, TaskEvent
from generation.protocol import EventFrame

PAGE_EVENTS = 1_000
"""Events per read; frames have about 300 bytes, a page about 300 KiB."""

PART_EVENTS = 128

FIRST_EVENTS, NEWEST_EVENTS = 100, 400
SHOWN_EVENTS = FIRST_EVENTS + NEWEST_EVENTS
"""A page reads this many events of a longer log, from both ends."""

TASKS_AT_ONCE = 100
"""Per query over several logs: SQLite limits the depth of an expression to 1,000."""


class NamedEvent(NamedTuple):
    seq: int
    kind: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """Frames in order of seq, ready to send; `more`: there are events after the last."""

    frames: list[tuple[int, str]]
    more: bool

    def parts(self) -> Iterator[list[tuple[int, str]]]:
        """Batches that may be written without waiting for the reader."""
        for first in range(0, len(self.frames), PART_EVENTS):
            yield self.frames[first : first + PART_EVENTS]


def log_after(*, task_id: str, after: int, limit: int = PAGE_EVENTS) -> LogPage:
    """The events after `after`, at most `limit`."""
    key = TaskEvent._meta.get_field("task").get_db_prep_value(uuid.UUID(task_id), connection)
    with connection.cursor() as cursor:
        cursor.execute(sql.LOG_AFTER, [key, after, limit + 1])
        frames = cursor.fetchall()
    # one more than a page, to set `more`
    return LogPage(frames=frames[:limit], more=len(frames) > limit)


def logs_between(spans: Mapping[str, tuple[int, int]]) -> dict[str, LogPage]:
    """Page per task; `spans`: task → (seq before the first, seq of the last)."""
    pages = {task_id: LogPage(frames=[], more=False) for task_id in spans}
    keys = [task_id for task_id, (after, upto) in spans.items() if upto > after]
    for first in range(0, len(keys), TASKS_AT_ONCE):
        wanted = [
            Q(task=uuid.UUID(key), seq__gt=spans[key][0], seq__lte=spans[key][1])
            for key in keys[first : first + TASKS_AT_ONCE]
        ]
        rows = TaskEvent.objects.filter(Q(*wanted, _connector=Q.OR)).order_by()
        for key, seq, frame in sorted(rows.values_list("task", "seq", "frame")):
            pages[str(key)].frames.append((seq, frame))
    return pages


def kinds_after(task_id: uuid.UUID, seq: int, kinds: Collection[str]) -> list[NamedEvent]:
    """The events of these kinds after `seq`, in order."""
    rows = TaskEvent.objects.filter(task=task_id, seq__gt=seq, kind__in=kinds).order_by("seq")
    return [NamedEvent(*row) for row in rows.values_list("seq", "kind", "created_at")]


def newest_seqs(task_ids: Collection[str]) -> dict[str, tuple[int, bool]]:
    """Task → (newest_seq, is it over), for the existing ones of `task_ids`; one query."""
    rows = GenerationTask.objects.filter(pk__in=task_ids)
    return {
        str(key): (seq, status in TERMINAL)
        for key, seq, status in rows.values_list("pk", "newest_seq", "status")
    }


def interruptions(task_id: uuid.UUID, reason: InterruptReason) -> int:
    """Number of the task's interruptions with this reason."""
    return TaskEvent.objects.filter(
        task_id=task_id, kind=EventKind.INTERRUPTED, details__reason=reason
    ).count()


def shown_logs(tasks: Collection[GenerationTask]) -> dict[uuid.UUID, list[EventFrame]]:
    """Log per task in order, reduced to `shown_events` if it is long; one query."""
    logs: dict[uuid.UUID, list[EventFrame]] = {task.pk: [] for task in tasks}
    short = [task.pk for task in tasks if not is_long_log(task)]
    wanted = [Q(task=task.pk) & shown_events(task) for task in tasks if is_long_log(task)]
    rows = TaskEvent.objects.filter(Q(Q(task__in=short), *wanted, _connector=Q.OR))
    for key, frame in rows.order_by("task", "seq").values_list("task_id", "frame"):
        logs[key].append(json.loads(frame))
    return logs


def is_long_log(task: GenerationTask) -> bool:
    return task.newest_seq > SHOWN_EVENTS


def shown_events(
    task: GenerationTask, *, first: int = FIRST_EVENTS, newest: int = NEWEST_EVENTS
) -> Q:
    """Filter for the first and the newest events of the task."""
    return Q(seq__lte=first) | Q(seq__gt=task.newest_seq - newest)


def events_after(task: GenerationTask, after: int) -> list[EventFrame]:
    """One page of events after `after`."""
    page = log_after(task_id=str(task.pk), after=after, limit=SHOWN_EVENTS)
    return [json.loads(frame) for _seq, frame in page.frames]


def cancel_details(task_id: uuid.UUID) -> dict[str, Any] | None:
    """Details of the cancel request; None without one."""
    rows = TaskEvent.objects.filter(task_id=task_id, kind=EventKind.CANCEL_REQUESTED)
    return rows.order_by("seq").values_list("details", flat=True).first()
