"""Figures 3 and 4: how many frames reach the watchers of one task, and how soon."""

from __future__ import annotations

import json
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from statistics import median

from benchmarks.lib.listeners import Arrivals, Listeners, Place, listeners
from benchmarks.lib.report import Goal, Report, Table, percentile, spread
from benchmarks.lib.testbed import OURS, STOCK, Side, Stand
from benchmarks.servers import bare_broadcast
from benchmarks.servers.frame_source import hose

BARE = Side("bare Daphne broadcast", "benchmarks.servers.bare_broadcast:application")
SIDES = (OURS, STOCK, BARE)
PER_SECOND = 20.0
PATIENCE = 30.0

Published = list[tuple[int, int]]
"""(seq, nanosecond) of every event."""

Publish = Callable[[int, float], Published]
"""So many events, so many a second (0: as fast as can be)."""


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
    with Stand() as stand, listeners() as audience:
        alone = [reach(audience, size) for _round in range(size.rounds)]
        with sides(stand, audience, size) as publishers:
            names = list(publishers)
            for name in names:
                play(audience, name, publishers[name], size)
            for number in range(size.rounds):
                for name in names if number % 2 == 0 else names[::-1]:
                    delivered, p50, p99 = play(audience, name, publishers[name], size)
                    measured[name].per_second.append(delivered)
                    measured[name].p50.append(p50)
                    measured[name].p99.append(p99)
    return report(measured, alone, size)


@contextmanager
def sides(stand: Stand, audience: Listeners, size: Size) -> Iterator[dict[str, Publish]]:
    """Each in a process of its own, with a person, a task and watchers of its own."""
    publishers: dict[str, Publish] = {}
    with ExitStack() as ends:
        for side in SIDES:
            served = ends.enter_context(stand.serving(side))
            (person,) = stand.writer.people(1)
            task = stand.writer.task(person)
            place = Place(port=served.port, headers=side.headers(person), task=task)
            audience.attach(side.name, place, size.watchers)
            publishers[side.name] = broadcast(served.url) if side is BARE else stored(stand, task)
        yield publishers


def stored(stand: Stand, task: str) -> Publish:
    """By the services, the doorbell and Redis; the clock begins after the commit."""

    def publish(count: int, per_second: float) -> Published:
        told = stand.writer.ask("publish", task=task, count=count, per_second=per_second)
        return [(seq, stamp) for seq, stamp in told["published"]]

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


def play(
    audience: Listeners, name: str, publish: Publish, size: Size
) -> tuple[float, float, float]:
    """Deliveries per second of a burst; p50 and p99 of the delay at a steady rate, in ms."""
    published, arrived = hear(audience, name, lambda: publish(size.burst, 0.0))
    last = max(stamp for arrivals in arrived for _seq, stamp in arrivals)
    delivered = sum(map(len, arrived)) / (last - published[0][1]) * 1e9
    count = int(size.seconds * PER_SECOND)
    published, arrived = hear(audience, name, lambda: publish(count, PER_SECOND))
    told = dict(published)
    delays = [(stamp - told[seq]) / 1e6 for arrivals in arrived for seq, stamp in arrivals]
    return delivered, median(delays), percentile(delays, 0.99)


def hear(
    audience: Listeners, name: str, publish: Callable[[], Published]
) -> tuple[Published, list[Arrivals]]:
    """What was published, and what each watcher got of it: all, once and in order."""
    audience.record(name)
    published = publish()
    arrived = audience.collect(name, published[-1][0], PATIENCE)
    wanted = [seq for seq, _stamp in published]
    for arrivals in arrived:
        assert [seq for seq, _stamp in arrivals] == wanted, f"{name} lost events"
    return published, arrived


def reach(audience: Listeners, size: Size) -> float:
    """Deliveries per second that the listeners themselves can take."""
    texts = [bare_broadcast.event(seq).encode() for seq in range(1, 5 * size.burst + 1)]
    with hose() as server:
        audience.attach("alone", Place(port=server.port, headers={}, task=""), size.watchers)
        audience.record("alone")
        began = server.pour(texts)
        arrived = audience.collect("alone", len(texts), PATIENCE)
    last = max(stamp for arrivals in arrived for _seq, stamp in arrivals)
    return sum(map(len, arrived)) / (last - began) * 1e9


def report(measured: dict[str, Measured], alone: list[float], size: Size) -> Report:
    ours, stock, bare = (measured[side.name] for side in SIDES)
    rows = [
        [
            name,
            spread(each.per_second, 0),
            spread(divided(each.per_second, bare.per_second)),
            spread(each.p50, 1),
            spread(each.p99, 1),
            spread(divided(each.p99, bare.p99)),
        ]
        for name, each in measured.items()
    ]
    to_stock = divided(ours.per_second, stock.per_second)
    to_bare = divided(ours.per_second, bare.per_second)
    slower = divided(ours.p99, bare.p99)
    sooner = divided(ours.p99, stock.p99)
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
            goal("deliveries/s at least 8 × a stock Channels consumer", to_stock, least=8.0),
            goal("deliveries/s at least 1 × a bare Daphne broadcast", to_bare, least=1.0),
            goal("p99 at most 1.5 × bare Daphne", slower, most=1.5),
            goal("p99 at most 0.2 × a stock Channels consumer", sooner, most=0.2),
        ],
        notes=[
            f"The listeners, fed with frames made beforehand, take {spread(alone, 0)} "
            "deliveries/s.",
            "Half of the sockets hear of an event "
            f"{median(ours.p50) - median(bare.p50):.1f} ms later than from bare Daphne: on the way "
            "from the commit lie the writer's doorbell, Redis, and the hub's receive. All of them "
            "and the listeners share the processors; what one waits for is in the p99.",
        ],
    )


def divided(mine: list[float], others: list[float]) -> list[float]:
    return [one / other for one, other in zip(mine, others, strict=True)]


def goal(wanted: str, ratios: list[float], *, least: float = 0.0, most: float = 1e9) -> Goal:
    middle = median(ratios)
    return Goal(wanted=wanted, measured=f"{spread(ratios)} ×", met=least <= middle <= most)
