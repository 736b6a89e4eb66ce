"""`/metrics`: the instruments of this process, and numbers that are read for each scrape."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import connections
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    REGISTRY,
    CollectorRegistry,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from generation import images, selectors
from generation.clock import clock
from generation.hub import hub
from generation.metrics_access import may_read_metrics
from generation.outages import database
from generation.selectors import InstallationTotals
from generation.slow_check import Check, answer_of

READ_TIMEOUT = 5.0
"""Seconds; Prometheus gives up after ten."""

KEPT = 2.0
"""Seconds for which what was read is used again: several servers may scrape one web."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """What is not counted as it happens. `totals`, `space` (free, total bytes): None if unknown."""

    totals: InstallationTotals | None
    space: tuple[int, int] | None
    connections: dict[str, int]
    followed: int
    layer: str


async def metrics(request: HttpRequest) -> HttpResponse:
    """Metrics for Prometheus; others get the response of an address that does not exist."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    peer = request.META.get("REMOTE_ADDR") or ""
    if not may_read_metrics(headers, peer, proxies=settings.TRUSTED_PROXIES):
        raise Http404
    totals, space = await asyncio.gather(
        answer_of(totals_check, READ_TIMEOUT), answer_of(space_check, READ_TIMEOUT)
    )
    # the hub is read here, in the event loop that changes it
    readings = Readings(
        totals=totals,
        space=space,
        connections=Counter(outbox.transport for outbox in hub.all_outboxes()),
        followed=len(hub.subscriptions),
        layer=hub.groups.state,
    )
    text = await asyncio.to_thread(exposition, readings)
    return HttpResponse(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)


def exposition(readings: Readings) -> bytes:
    registry = CollectorRegistry()
    registry.register(ReadingsCollector(readings))
    return generate_latest(REGISTRY) + generate_latest(registry)


def read_totals() -> InstallationTotals | None:
    try:
        return selectors.installation_totals(clock.now())
    finally:
        # this thread keeps no connection
        connections.close_all()


def no_totals(error: Exception) -> None:
    database.is_outage(error)


def nothing(error: Exception | None = None) -> None:
    """Unknown: the series are missing from this scrape."""


totals_check: Check[InstallationTotals | None] = Check(read_totals, nothing, no_totals, kept=KEPT)
space_check: Check[tuple[int, int] | None] = Check(images.free_space, nothing, nothing, kept=KEPT)


class ReadingsCollector(Collector):
    """Gauges of one scrape. Those of rows are the same in every web: rules take their maximum."""

    def __init__(self, readings: Readings) -> None:
        self.readings = readings

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield gauge("build_info", "Always 1", {(settings.VERSION,): 1}, "version")
        yield gauge(
            "connections",
            "Open sockets, event streams and waiting requests of this process",
            {(name,): count for name, count in self.readings.connections.items()},
            "transport",
        )
        yield gauge("followed_tasks", "Tasks that they follow", {(): self.readings.followed})
        layer, space = self.readings.layer, self.readings.space
        yield gauge(
            "layer_up",
            "Whether this process receives what it sends to itself",
            {} if layer == "unknown" else {(): layer == "ok"},
        )
        yield gauge(
            "media_free_bytes", "Free space for pictures", {} if space is None else {(): space[0]}
        )
        yield gauge(
            "media_size_bytes",
            "Size of the file system of pictures",
            {} if space is None else {(): space[1]},
        )
        known = self.readings.totals is not None
        yield gauge("rows_readable", "Whether the database answered this scrape", {(): known})
        if self.readings.totals is not None:
            yield from totals_of_rows(self.readings.totals)


def totals_of_rows(totals: InstallationTotals) -> Iterator[GaugeMetricFamily]:
    models = totals.models
    yield gauge(
        "tasks",
        "Unfinished tasks",
        {
            (status, name): count
            for name, model in models.items()
            for status, count in (("queued", model.queued), ("running", model.running))
        },
        "status",
        "model",
    )
    yield gauge(
        "oldest_wait_seconds",
        "Since the submission of the oldest queued task; 0 without one",
        {(name,): totals.wait_of(name) for name in models},
        "model",
    )
    yield gauge("workers", "Live workers", {(s,): n for s, n in totals.workers.items()}, "state")
    yield gauge(
        "paused", "Whether an operator keeps all live workers from claiming", {(): totals.is_paused}
    )
    yield gauge(
        "model_paused",
        "Whether an operator has paused the model",
        {(name,): model.is_paused for name, model in models.items()},
        "model",
    )
    yield gauge(
        "review_backlog",
        "Pictures and appeals that wait for reviewers, up to 1,000 each",
        {(name,): count for name, count in totals.reviews.items()},
        "kind",
    )
    yield gauge(
        "model_ready",
        "Whether the model can draw, as workers last saw it",
        {(name,): model.ready for name, model in models.items()},
        "model",
    )
    yield gauge(
        "model_replicas", "Its replicas", {(n,): m.replicas for n, m in models.items()}, "model"
    )
    yield gauge(
        "model_slots", "Calls that it may have", {(n,): m.slots for n, m in models.items()}, "model"
    )
    yield gauge(
        "model_slots_held",
        "Calls that it has",
        {(n,): m.held_slots for n, m in models.items()},
        "model",
    )
    yield gauge("key_refused", "Whether the model server refuses our key", {(): totals.key_refused})


def gauge(
    name: str, text: str, samples: dict[tuple[str, ...], float], *labels: str
) -> GaugeMetricFamily:
    """`samples`: value by the values of `labels`."""
    family = GaugeMetricFamily(f"liujuan_{name}", text, labels=labels)
    for values, value in samples.items():
        family.add_metric(values, float(value))
    return family
