"""Sends traces over OTLP/HTTP; the only module that knows OpenTelemetry.

Its packages are optional (requirements-observability.txt) and loaded with the first trace.
"""

from __future__ import annotations

import atexit
import hashlib
import uuid
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings

from generation.timeline.trace_spans import TraceSpan

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import SpanContext

SERVICE = "liujuan-studio"


@cache
def span_processor(endpoint: str) -> BatchSpanProcessor:
    """Sends spans in the background; without room in its queue it drops them.

    The SDK reads further variables itself: OTEL_EXPORTER_OTLP_HEADERS, OTEL_BSP_… and others.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    processor = BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces"))
    # what is queued is sent when the process ends
    atexit.register(processor.shutdown)
    return processor


def export(task_id: uuid.UUID, spans: Iterable[TraceSpan]) -> None:
    """Queue the spans of a task; its id is the id of the trace."""
    processor = span_processor(settings.OTEL_EXPORTER_OTLP_ENDPOINT)
    for span in spans:
        processor.on_end(readable_span(task_id, span))


def readable_span(task_id: uuid.UUID, span: TraceSpan) -> ReadableSpan:
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace.status import Status, StatusCode

    own = Resource({"service.name": SERVICE, "service.version": settings.VERSION})
    failed = Status(StatusCode.ERROR, span.error)
    return ReadableSpan(
        name=span.name,
        context=span_context(task_id, span.key),
        parent=None if span.parent is None else span_context(task_id, span.parent),
        # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES count more
        resource=own.merge(OTELResourceDetector().detect()),
        attributes={**span.attributes, **({"error.type": span.error} if span.error else {})},
        status=failed if span.error else Status(StatusCode.UNSET),
        start_time=int(span.begins * 1e9),
        end_time=int(span.ends * 1e9),
    )


def span_context(task_id: uuid.UUID, key: str) -> SpanContext:
    """The same for each export of a task, so that a repeated one adds nothing."""
    from opentelemetry.trace import SpanContext, TraceFlags

    digest = hashlib.sha256(f"{task_id} {key}".encode()).digest()
    return SpanContext(
        trace_id=task_id.int,
        span_id=int.from_bytes(digest[:8]),
        is_remote=False,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
