"""Logs each end of a task and each interruption."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction

from accounts.log_format import log_line
from generation.choices import EventKind
from generation.loggable_text import redacted
from generation.models import TaskEvent

logger = logging.getLogger(__name__)

NAMES = {
    EventKind.COMPLETED: "task_completed",
    EventKind.FAILED: "task_failed",
    EventKind.CANCELLED: "task_cancelled",
    EventKind.INTERRUPTED: "attempt_interrupted",
}


def log_outcome(
    task_id: Any,
    kind: EventKind,
    *,
    model: str,
    attempt: int,
    details: Mapping[str, Any],
    changes: Mapping[str, Any],
) -> None:
    """Write the log line after the commit; other events have none."""
    if kind not in NAMES:
        return
    values = {
        "task": task_id,
        "attempt": attempt,
        "code": details.get("code") or details.get("reason") or "",
        "worker": worker_of(task_id, attempt),
        "model": model,
        "seconds": changes.get("run_seconds"),
        "cause": redacted(changes.get("error_detail") or ""),
    }
    line = log_line(NAMES[kind], **{k: value for k, value in values.items() if value != ""})
    bad = kind == EventKind.FAILED or bool(details.get("counted"))
    level = logging.WARNING if bad else logging.INFO
    transaction.on_commit(partial(logger.log, level, "%s", line), robust=True)


def worker_of(task_id: Any, attempt: int) -> str | None:
    """The first digits of the worker's id; None for a task that was never claimed.

    It is read from the events, because the slot may be free or taken over by then.
    """
    if not attempt:
        return None
    claims = TaskEvent.objects.filter(task_id=task_id, attempt=attempt, kind=EventKind.CLAIMED)
    details = claims.values_list("details", flat=True)[:1]
    return next((each.get("worker") for each in details), None)
