"""Exports a task as one trace when it is over."""

from __future__ import annotations

import uuid
from functools import partial

from django.conf import settings
from django.db import transaction

from generation import selectors, trace_export
from generation.clock import clock
from generation.models import GenerationTask
from generation.timeline.trace_spans import Attributes, trace_spans


def export_after_commit(task_id: uuid.UUID) -> None:
    """Read the log and export it once the end of the task is committed; costs nothing if off."""
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        transaction.on_commit(partial(export_trace, task_id), robust=True)


def export_trace(task_id: uuid.UUID) -> None:
    task = GenerationTask.objects.filter(pk=task_id).first()
    if task is None:
        return
    detail = selectors.task_detail(task, now=clock.now())
    spans = trace_spans(detail.timeline, detail.card["state"], attributes_of(task))
    trace_export.export(task.pk, spans)


def attributes_of(task: GenerationTask) -> Attributes:
    """What names and sizes the task; never its prompt."""
    return {
        "liujuan.task": str(task.pk),
        "liujuan.request": task.correlation_id,
        "liujuan.model": task.model,
        "liujuan.width": task.width,
        "liujuan.height": task.height,
        "liujuan.steps": task.steps,
        "liujuan.images": task.image_count,
        "liujuan.attempts": task.attempt,
    }
