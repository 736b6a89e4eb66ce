"""Logs and counts each end of a task and each interruption."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import IntegerField, TextField, UUIDField

from accounts.log_context import correlation_id
from accounts.log_format import log_line
from generation import process_metrics
from generation.choices import EventKind
from generation.compiled_query import CompiledQuery, Parameter
from generation.loggable_text import redacted
from generation.models import TaskEvent

logger = logging.getLogger(__name__)

NAMES = {
    EventKind.COMPLETED: "task_completed",
    EventKind.FAILED: "task_failed",
    EventKind.CANCELLED: "task_cancelled",
    EventKind.INTERRUPTED: "attempt_interrupted",
}

ORIGIN = CompiledQuery(
    TaskEvent.objects.filter(
        task_id=Parameter("task_id", UUIDField()),
        attempt=Parameter("attempt", IntegerField()),
        kind=Parameter("kind", TextField()),
    ).values_list("details", "task__correlation_id")[:1]
)
"""The details of an event, and the id of the request that submitted its task."""


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
    worker, request = names_of(task_id, attempt)
    values = {
        "task": task_id,
        "attempt": attempt,
        "code": details.get("code") or details.get("reason") or "",
        "worker": worker,
        "model": model,
        "seconds": changes.get("run_seconds"),
        "cause": redacted(changes.get("error_detail") or ""),
        "request": request,
    }
    line = log_line(NAMES[kind], **{k: value for k, value in values.items() if value != ""})
    bad = kind == EventKind.FAILED or bool(details.get("counted"))
    level = logging.WARNING if bad else logging.INFO
    transaction.on_commit(partial(logger.log, level, "%s", line), robust=True)
    count = partial(count_outcome, kind, model=model, code=str(values["code"]), changes=changes)
    transaction.on_commit(count, robust=True)


def count_outcome(kind: EventKind, *, model: str, code: str, changes: Mapping[str, Any]) -> None:
    if kind == EventKind.INTERRUPTED:
        process_metrics.ATTEMPTS_INTERRUPTED.labels(code).inc()
        return
    model = process_metrics.model_label(model)
    process_metrics.TASKS_ENDED.labels(kind.value, code, model).inc()
    process_metrics.TASK_WAIT.labels(model).observe(changes["wait_seconds"])
    process_metrics.TASK_RUN.labels(model).observe(changes["run_seconds"])
    for step, seconds in changes.get("measured_durations", {}).items():
        process_metrics.STEP.labels(step).observe(seconds)


def names_of(task_id: Any, attempt: int) -> tuple[str | None, str]:
    """The first digits of the worker's id, None for a task that was never claimed; and an id.

    That of the request that caused the line, such as a cancel, or that of the submission. The
    worker is read from the events, because the slot may be free or taken over by then.
    """
    if not attempt and correlation_id():
        return None, correlation_id()
    kind = EventKind.CLAIMED if attempt else EventKind.SUBMITTED
    found = ORIGIN.rows(task_id=task_id, attempt=attempt, kind=kind)
    for details, submitted_by in found:
        return details.get("worker"), correlation_id() or submitted_by
    return None, correlation_id()
