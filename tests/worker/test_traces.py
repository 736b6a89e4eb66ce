"""A task that is over is one trace at the collector: its attempts, and their steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import override_settings
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from generation import trace_export
from generation.models import GenerationTask
from generation.services.task_traces import export_trace
from tests.collector import Collector, collecting
from tests.socket.sockets import Page
from tests.worker.demo_worker import SMALL, StartWorker, ending

PROMPT = "a garden that only the owner knows"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        with override_settings(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url):
            yield collector
        trace_export.span_processor(collector.url).shutdown()


@dataclass
class Span:
    """What a collector makes of a message."""

    id: bytes
    parent: bytes
    trace: str
    name: str
    begins: int
    ends: int
    failed: bool
    attributes: dict[str, Any]


def received(collector: Collector) -> list[Span]:
    """Every span, once the queue is sent; the address is that of OTLP."""
    trace_export.span_processor(collector.url).force_flush()
    spans: list[Span] = []
    for path, body in collector.bodies:
        assert path == "/v1/traces"
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {each.key: each.value.string_value for each in resource.resource.attributes}
            assert named["service.name"] == "liujuan-studio"
            spans += [as_span(each) for scope in resource.scope_spans for each in scope.spans]
    return spans


def as_span(span: Any) -> Span:
    values = {each.key: each.value for each in span.attributes}
    return Span(
        id=span.span_id,
        parent=span.parent_span_id,
        trace=span.trace_id.hex(),
        name=span.name,
        begins=span.start_time_unix_nano,
        ends=span.end_time_unix_nano,
        failed=span.status.code == span.status.STATUS_CODE_ERROR,
        attributes={
            key: getattr(value, str(value.WhichOneof("value"))) for key, value in values.items()
        },
    )


async def test_a_task_is_one_trace(
    page: Page, start_worker: StartWorker, collector: Collector
) -> None:
    demo_worker = await start_worker(faults=[{"do": "status", "status": 500, "times": 1}])
    task_id = await page.generate(PROMPT, **SMALL)
    await ending(page, task_id)
    await demo_worker.runner.drain()

    spans = await sync_to_async(received)(collector)
    task = await GenerationTask.objects.aget(pk=task_id)
    (root,) = [span for span in spans if not span.parent]
    attempts = [span for span in spans if span.name == "attempt"]
    assert {span.trace for span in spans} == {task.pk.hex}
    assert (root.name, root.failed) == ("task", False)
    assert root.attributes["liujuan.status"] == "completed"
    assert root.attributes["liujuan.request"] == task.correlation_id
    assert [each.failed for each in attempts] == [True, False]
    assert attempts[0].attributes["error.type"] == "model_error"
    worker = str(demo_worker.runner.worker_id)[:8]
    assert {each.attributes["liujuan.worker"] for each in attempts} == {worker}
    assert steps_of(spans, root) == ["parsing", "in_line", "back_in_line"]
    assert steps_of(spans, attempts[1]) == [
        *("loading", "preparing", "generating", "decoding", "finishing"),
    ]
    assert "garden" not in str(spans)


def steps_of(spans: list[Span], parent: Span) -> list[str]:
    own = [span for span in spans if span.parent == parent.id and span.name != "attempt"]
    assert all(parent.begins <= span.begins <= span.ends <= parent.ends for span in own)
    return [span.name for span in sorted(own, key=lambda span: span.begins)]


async def test_a_repeated_export_adds_no_span(page: Page, collector: Collector) -> None:
    task_id = await page.generate(**SMALL)
    await page.ask(action="cancel", task_id=task_id)
    task = await GenerationTask.objects.aget(pk=task_id)
    await sync_to_async(export_trace)(task.pk)

    spans = await sync_to_async(received)(collector)
    assert sorted(span.name for span in spans) == ["in_line"] * 2 + ["parsing"] * 2 + ["task"] * 2
    assert len({span.id for span in spans}) == 3


async def test_without_an_address_nothing_is_sent(page: Page) -> None:
    with collecting() as collector:
        task_id = await page.generate(**SMALL)
        await page.ask(action="cancel", task_id=task_id)

    assert collector.bodies == []
