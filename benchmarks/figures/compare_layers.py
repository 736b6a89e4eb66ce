"""The same fan-out over each channel layer: the delay that a layer adds to an event."""

from __future__ import annotations

import json
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.figures.fan_out import Measured, Publish, Published, Size, measure_round
from benchmarks.lib.listeners import Endpoint, Listeners, listeners
from benchmarks.lib.report import Excerpt, Report, Table, ratios, spread
from benchmarks.lib.rounds import alternating
from benchmarks.lib.testbed import Side, Testbed
from benchmarks.servers.bare_broadcast import PUBLISH

LAYERS = {
    "in-memory": "in-memory",
    "channels_redis, core": "core",
    "channels_redis, pub/sub": "pubsub",
}
OURS = "channels_redis, pub/sub"


def measure(quick: bool) -> Report:
    size = (
        Size(watchers=10, burst=20, seconds=0.25, rounds=1)
        if quick
        else Size(watchers=200, burst=120, seconds=2.0, rounds=5)
    )
    measured: dict[str, Measured] = defaultdict(Measured)
    with (
        Testbed() as testbed,
        listeners() as audience,
        publishers_of(testbed, audience, size) as publishers,
    ):
        for number in range(size.rounds + 1):
            for name in alternating(LAYERS, number):
                delivered, p50, p99 = measure_round(audience, name, publishers[name], size)
                if number:
                    measured[name].per_second.append(delivered)
                    measured[name].p50.append(p50)
                    measured[name].p99.append(p99)
    return report(measured, size)


@contextmanager
def publishers_of(
    testbed: Testbed, audience: Listeners, size: Size
) -> Iterator[dict[str, Publish]]:
    """A studio on each layer, with its own person and task; it writes the events itself."""
    publishers: dict[str, Publish] = {}
    with ExitStack() as ends:
        for name, layer in LAYERS.items():
            testbed.studio.env |= {"LAYER": layer, "EMBEDDED_WORKER": "0"}
            side = Side(
                layer,
                "benchmarks.servers.publishing_studio:application",
                "token",
                "benchmarks.servers.layer_settings",
            )
            served = ends.enter_context(testbed.serving(side))
            (person,) = testbed.writer.people(1)
            task = testbed.writer.task(person)
            endpoint = Endpoint(port=served.port, headers=side.headers(person), task=task)
            audience.attach(name, endpoint, size.watchers)
            publishers[name] = publish_inside(served.url, task)
        yield publishers


def publish_inside(url: str, task: str) -> Publish:
    def publish(count: int, per_second: float) -> Published:
        query = f"task={task}&count={count}&per_second={per_second}"
        with urllib.request.urlopen(f"{url}{PUBLISH}?{query}") as answer:
            return [(seq, stamp) for seq, stamp in json.load(answer)]

    return publish


def report(measured: dict[str, Measured], size: Size) -> Report:
    floor = measured[OURS]
    rows = [
        [
            name,
            spread(measured[name].per_second, 0),
            spread(ratios(measured[name].per_second, floor.per_second)),
            spread(measured[name].p50, 1),
            spread(measured[name].p99, 1),
            spread(ratios(measured[name].p99, floor.p99)),
        ]
        for name in LAYERS
    ]
    columns = (
        *("layer", "deliveries/s", "× pub/sub", "p50, ms", "p99, ms"),
        "p99, × pub/sub",
    )
    table = Table(columns=columns, rows=rows)
    return Report(
        title="Channel layers",
        how=f"As the fan-out, {size.watchers} watchers of one task, but the web process writes the "
        "events itself, because the in-memory layer ends at the process. Everything else is the "
        f"same: the hub, PostgreSQL, Daphne. {size.rounds} rounds after a warm-up, layers in turn. "
        "Median (lowest to highest).",
        tables=[table],
        goals=[],
        excerpts=[Excerpt(page="operations.md", mark="layers", text=table.markdown())],
    )
