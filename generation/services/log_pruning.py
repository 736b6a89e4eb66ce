"""Shortens the logs of old tasks.

A pruned log is a whole log: it is numbered from 1 without gaps, `newest_seq` is its length, and its
fold has the status, the pictures and the times of the task, but no steps. So clients read it like
any other. The task says when it was pruned, for clients that have a cursor of the longer log.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from generation.choices import TERMINAL, EventKind
from generation.models import GenerationTask, TaskEvent, WebhookCursor
from generation.protocol import encode
from generation.selectors.retention_due import tasks_with_whole_log
from generation.services.transition import insert_events

LOG_BATCH = 50
"""Tasks per batch, each of which is a transaction."""

KEPT = frozenset({EventKind.SUBMITTED, EventKind.IMAGE_STORED, EventKind.CANCEL_REQUESTED}).union(
    EventKind(status.value) for status in TERMINAL
)
"""Kinds of which all events are kept; of `claimed` the first one."""


def prune_logs(*, owners: Collection[int], before: datetime, now: datetime) -> tuple[int, int]:
    """Shorten a batch of these logs; returns the numbers of logs and of deleted events.

    A log of which a webhook has yet to receive events is left for another run.
    """
    unsent = WebhookCursor.objects.filter(
        task=OuterRef("pk"), endpoint__enabled=True, sent_seq__lt=OuterRef("newest_seq")
    )
    due = tasks_with_whole_log(owners, before).filter(~Exists(unsent))
    keys = list(due.values_list("pk", flat=True)[:LOG_BATCH])
    return len(keys), sum(prune_log(key, now) for key in keys)


def prune_log(task_id: uuid.UUID, now: datetime) -> int:
    """Shorten the log of an ended task; returns the number of deleted events."""
    with transaction.atomic():
        tasks = GenerationTask.objects.filter(pk=task_id, log_pruned_at__isnull=True)
        task = tasks.select_for_update().first()
        if task is None or not task.is_over:
            return 0
        kept = numbered(kept_events(task_id))
        TaskEvent.objects.filter(task=task_id).delete()
        insert_events(kept)
        tasks.update(newest_seq=len(kept), log_pruned_at=now)
    return task.newest_seq - len(kept)


def kept_events(task_id: uuid.UUID) -> list[TaskEvent]:
    events = TaskEvent.objects.filter(task=task_id)
    kept = list(events.filter(kind__in=sorted(KEPT)))
    kept += events.filter(kind=EventKind.CLAIMED).order_by("seq")[:1]
    return sorted(kept, key=lambda event: event.seq)


def numbered(events: list[TaskEvent]) -> list[TaskEvent]:
    """New rows with the same events, numbered from 1."""
    return [
        TaskEvent(
            task_id=event.task_id,
            seq=seq,
            kind=event.kind,
            step=event.step,
            progress=event.progress,
            attempt=event.attempt,
            details=event.details,
            frame=encode({**json.loads(event.frame), "seq": seq}),
            created_at=event.created_at,
        )
        for seq, event in enumerate(events, start=1)
    ]
