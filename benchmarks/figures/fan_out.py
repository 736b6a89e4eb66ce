"""Figures 3 and 4: deliveries per second to the watchers of one task, and their delay."""

from __future__ import annotations

import json
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from statistics import median

from benchmarks.lib.listeners import Arrivals, Endpoint, Listeners, listeners
from benchmarks.lib.report import Report, Table, percentile, ratio_goal, ratios, spread
from benchmarks.lib.rounds import alternating
from benchmarks.lib.testbed import OURS, STOCK, Side, Testbed
from benchmarks.servers import bare_broadcast
from benchmarks.servers.frame_source import frame_source

BARE = Side("bare Daphne broadcast", "benchmarks.servers.bare_broadcast:application")
SIDES = (OURS, STOCK, BARE)
PER_SECOND = 20.0
TIMEOUT = 30.0

Published = list[tuple[int, int]]
"""(seq, nanosecond) of every event."""

Publish = Callable[[int, float], Published]
"""Takes a number of events and events per second (0: as fast as possible)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    watchers: int
    burst: int
    seconds: float
    rounds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Of each round: deliveries per second, p50 and p99 in ms."""

    per_second: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)


def measure(quick: bool) -> Report:
    size = (
        Size(watchers=20, burst=50, seconds=0.5, rounds=1)
        if quick
        else Size(watchers=200, burst=120, seconds=2.0, rounds=5)
    )
    measured: dict[str, Measured] = defaultdict(Measured)
    with Testbed() as testbed, listeners() as audience:
        capacity = [listener_capacity(audience, size) for _round in range(size.rounds)]
        with sides(testbed, audience, size) as publishers:
            for name in publishers:
                measure_round(audience, name, publishers[name], size)
            for number in range(size.rounds):
                for name in alternating(publishers, number):
                    delivered, p50, p99 = measure_round(audience, name, publishers[name], size)
                    measured[name].per_second.append(delivered)
                    measured[name].p50.append(p50)
                    measured[name].p99.append(p99)
    return report(measured, capacity, size)


@contextmanager
def sides(testbed: Testbed, audience: Listeners, size: Size) -> Iterator[dict[str, Publish]]:
    """Each side in its own process, with its own person, task and watchers."""
    publishers: dict[str, Publish] = {}
    with ExitStack() as ends:
        for side in SIDES:
            served = ends.enter_context(testbed.serving(side))
            (person,) = testbed.writer.people(1)
            task = testbed.writer.task(person)
            endpoint = Endpoint(port=served.port, headers=side.headers(person), task=task)
            audience.attach(side.name, endpoint, size.watchers)
            publishers[side.name] = (
                broadcast(served.url) if side is BARE else publish_stored(testbed, task)
            )
        yield publishers


def publish_stored(testbed: Testbed, task: str) -> Publish:
    """Publish through services, broadcast and Redis; the clock starts after the commit."""

    def publish(count: int, per_second: float) -> Published:
        result = testbed.writer.call("publish", task=task, count=count, per_second=per_second)
        return [(seq, stamp) for seq, stamp in result["published"]]

    return publish


def broadcast(url: str) -> Publish:
    first = 1

    def publish(count: int, per_second: float) -> Published:
        nonlocal first
        query = f"count={count}&first={first}&per_second={per_second}"
        with urllib.request.urlopen(f"{url}{bare_broadcast.PUBLISH}?{query}") as answer:
            published = [(seq, stamp) for seq, stamp in json.load(answer)]
        first += count
        return published

    return publish


def measure_round(
    audience: Listeners, name: str, publish: Publish, size: Size
) -> tuple[float, float, float]:
    """Deliveries per second of a burst; p50 and p99 of the delay at a steady rate, in ms."""
    published, arrived = publish_and_collect(audience, name, lambda: publish(size.burst, 0.0))
    last = max(stamp for arrivals in arrived for _seq, stamp in arrivals)
    delivered = sum(map(len, arrived)) / (last - published[0][1]) * 1e9
    count = int(size.seconds * PER_SECOND)
    published, arrived = publish_and_collect(audience, name, lambda: publish(count, PER_SECOND))
    committed = dict(published)
    delays = [(stamp - committed[seq]) / 1e6 for arrivals in arrived for seq, stamp in arrivals]
    return delivered, median(delays), percentile(delays, 0.99)


def publish_and_collect(
    audience: Listeners, name: str, publish: Callable[[], Published]
) -> tuple[Published, list[Arrivals]]:
    """What was published and received; every watcher must get all of it, once and in order."""
    audience.record(name)
    published = publish()
    arrived = audience.collect(name, published[-1][0], TIMEOUT)
    wanted = [seq for seq, _stamp in published]
    for arrivals in arrived:
        assert [seq for seq, _stamp in arrivals] == wanted, f"{name} lost events"
    return published, arrived


def listener_capacity(audience: Listeners, size: Size) -> float:
    """Deliveries per second that the listeners can receive."""
    texts = [bare_broadcast.event(seq).encode() for seq in range(1, 5 * size.burst + 1)]
    with frame_source() as server:
        audience.attach("capacity", Endpoint(port=server.port, headers={}, task=""), size.watchers)
        audience.record("capacity")
        began = server.send_all(texts)
        arrived = audience.collect("capacity", len(texts), TIMEOUT)
    last = max(stamp for arrivals in arrived for _seq, stamp in arrivals)
    return sum(map(len, arrived)) / (last - began) * 1e9


def report(measured: dict[str, Measured], capacity: list[float], size: Size) -> Report:
    ours, stock, bare = (measured[side.name] for side in SIDES)
    rows = [
        [
            name,
            spread(each.per_second, 0),
            spread(ratios(each.per_second, bare.per_second)),
            spread(each.p50, 1),
            spread(each.p99, 1),
            spread(ratios(each.p99, bare.p99)),
        ]
        for name, each in measured.items()
    ]
    to_stock = ratios(ours.per_second, stock.per_second)
    to_bare = ratios(ours.per_second, bare.per_second)
    slower = ratios(ours.p99, bare.p99)
    sooner = ratios(ours.p99, stock.p99)
    columns = ("side", "deliveries/s", "× bare", "p50, ms", "p99, ms", "p99, × bare")
    return Report(
        title="Fan-out",
        how=f"{size.watchers} watchers of one task. Deliveries: a burst of {size.burst} events, "
        "from the first commit until the last socket has the last one. Delay: "
        f"{PER_SECOND:.0f} events a second for {size.seconds:g} s, from each commit to each "
        "socket; bare Daphne has nothing to commit and no Redis on the way. The same writer, "
        f"log and layer for the other two. {size.rounds} rounds after a warm-up, sides taking "
        "turns. Median (lowest to highest).",
        tables=[Table(columns=columns, rows=rows)],
        goals=[
            ratio_goal("deliveries/s at least 8 × a stock Channels consumer", to_stock, least=8.0),
            ratio_goal("deliveries/s at least 1 × a bare Daphne broadcast", to_bare, least=1.0),
            ratio_goal("p99 at most 1.5 × bare Daphne", slower, most=1.5),
            ratio_goal("p99 at most 0.2 × a stock Channels consumer", sooner, most=0.2),
        ],
        notes=[
            f"The listeners, fed with frames made beforehand, take {spread(capacity, 0)} "
            "deliveries/s.",
            "Half of the sockets receive an event "
            f"{median(ours.p50) - median(bare.p50):.1f} ms later than from bare Daphne: on the way "
            "from the commit lie the writer's broadcast, Redis, and the hub's receive. All of them "
            "and the listeners share the processors; what one waits for is in the p99.",
        ],
    )
