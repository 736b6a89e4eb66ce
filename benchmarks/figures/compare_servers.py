"""The same application under other servers: speed, memory and behaviour."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from statistics import median

from benchmarks.figures import fan_out
from benchmarks.lib.asgi_servers import SERVERS, installed
from benchmarks.lib.listeners import Endpoint, Listeners, listeners
from benchmarks.lib.report import Excerpt, Report, Table, ratios, spread
from benchmarks.lib.rounds import alternating
from benchmarks.lib.server_behaviour import (
    NOTHING,
    STALLED,
    connect_and_reset,
    counts,
    kib_per_stalled,
    long_message_response,
    shutdown_response,
    used,
    wrong_token_response,
)
from benchmarks.lib.socket_client import crowd
from benchmarks.lib.testbed import OURS, Person, Served, Side, Testbed

DAPHNE = "daphne"
LOG = 100
AT_ONCE = 40
EVENTS_PER_SECOND = 50.0
TOO_LONG = 70_000
FAR_TOO_LONG = 2 * 2**20
"""Bytes of a message: above our own limit, and above the 1 MiB limit of some servers."""
Numbers = dict[str, list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    fan_out: fan_out.Size
    reloads: int
    sockets: int
    cycles: int
    settle: float
    stalled_seconds: float
    long_log: int


QUICK = Size(
    fan_out=fan_out.Size(watchers=10, burst=20, seconds=0.25, rounds=1),
    reloads=3,
    sockets=10,
    cycles=20,
    settle=1.0,
    stalled_seconds=0.5,
    long_log=100,
)
WHOLE = Size(
    fan_out=fan_out.Size(watchers=200, burst=120, seconds=2.0, rounds=5),
    reloads=30,
    sockets=500,
    cycles=500,
    settle=12.0,
    stalled_seconds=8.0,
    long_log=2_000,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """One person, a task with events, one with a short log and one with a long one."""

    size: Size
    testbed: Testbed
    audience: Listeners
    person: Person
    task: str
    short: str
    long: str
    served: dict[str, Served]

    def in_turn(self, number: int) -> list[str]:
        return alternating(self.served, number)


@dataclass(slots=True, kw_only=True)
class Measured:
    """KiB per socket and per stalled client; what reset sockets leave; responses in words."""

    deliveries: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    reload: list[float] = field(default_factory=list)
    kib: float = 0.0
    left: str = ""
    stalled_kib: float = 0.0
    refused: str = ""
    stopped: str = ""
    too_long: str = ""
    far_too_long: str = ""


def measure(quick: bool) -> Report:
    size = QUICK if quick else WHOLE
    measured: dict[str, Measured] = defaultdict(Measured)
    with Testbed() as testbed, listeners() as audience, scene_of(testbed, audience, size) as setup:
        broadcast(setup, measured)
        asyncio.run(measure_behaviour(setup, measured))
    return report({name: measured[name] for name in SERVERS if name in measured}, size)


@contextmanager
def scene_of(testbed: Testbed, audience: Listeners, size: Size) -> Iterator[Setup]:
    (person,) = testbed.writer.people(1)
    task, short, long = (testbed.writer.task(person) for _each in range(3))
    testbed.writer.events(short, LOG)
    testbed.writer.events(long, size.long_log)
    with ExitStack() as ends:
        served = {
            name: ends.enter_context(
                testbed.serving(Side(name, OURS.application, OURS.signs_in), server)
            )
            for name, server in installed().items()
        }
        yield Setup(
            size=size,
            testbed=testbed,
            audience=audience,
            person=person,
            task=task,
            short=short,
            long=long,
            served=served,
        )


def broadcast(setup: Setup, measured: dict[str, Measured]) -> None:
    """Same as the fan-out figure, one task per server; the first round is a warm-up."""
    size, publishers = setup.size.fan_out, {}
    for name, served in setup.served.items():
        task = setup.testbed.writer.task(setup.person)
        headers = served.side.headers(setup.person)
        endpoint = Endpoint(port=served.port, headers=headers, task=task)
        setup.audience.attach(name, endpoint, size.watchers)
        publishers[name] = fan_out.publish_stored(setup.testbed, task)
    for number in range(size.rounds + 1):
        for name in setup.in_turn(number):
            result = fan_out.measure_round(setup.audience, name, publishers[name], size)
            if number:
                measured[name].deliveries.append(result[0])
                measured[name].p99.append(result[2])


async def measure_behaviour(setup: Setup, measured: dict[str, Measured]) -> None:
    await reload(setup, measured)
    for name, served in setup.served.items():
        measured[name].kib = await kib_per_socket(setup, served)
    await reset_sockets(setup, measured)
    for name, served in setup.served.items():
        each = measured[name]
        each.stalled_kib = await kib_per_stalled(
            served, setup.person, setup.long, seconds=setup.size.stalled_seconds
        )
        each.refused = await wrong_token_response(served)
        each.too_long = await long_message_response(served, setup.person, TOO_LONG)
        each.far_too_long = await long_message_response(served, setup.person, FAR_TOO_LONG)
        each.stopped = await shutdown_response(served, setup.person)


async def reload(setup: Setup, measured: dict[str, Measured]) -> None:
    """Milliseconds from connecting to the last event of the log; medians of five rounds."""
    rounds = setup.size.fan_out.rounds
    for number in range(rounds + 1):
        took: Numbers = defaultdict(list)
        for _again in range(setup.size.reloads):
            for name in setup.in_turn(number):
                began = time.perf_counter()
                client = await setup.served[name].attach(setup.person, setup.short)
                took[name].append((time.perf_counter() - began) * 1e3)
                client.transport.close()
        for name in setup.served if number else ():
            measured[name].reload.append(median(took[name]))


async def kib_per_socket(setup: Setup, served: Served) -> float:
    served.figures()
    before = used(served)
    count = setup.size.sockets
    clients = await crowd(count, lambda _number: served.attach(setup.person, setup.task))
    served.figures()
    grown = used(served) - before
    for client in clients:
        client.transport.close()
    await asyncio.gather(*(client.closed for client in clients))
    return grown / count


async def reset_sockets(setup: Setup, measured: dict[str, Measured]) -> None:
    """Reset connections while events arrive; all servers get the same time for cleanup."""
    before = {name: counts(served) for name, served in setup.served.items()}
    with setup.testbed.writer.flow([setup.task], EVENTS_PER_SECOND):
        for served in setup.served.values():
            reset = partial(connect_and_reset, served, setup.person, setup.task)
            await crowd(setup.size.cycles, reset, at_once=AT_ONCE)
    await asyncio.sleep(setup.size.settle)
    for name, served in setup.served.items():
        grown = {what: count - before[name][what] for what, count in counts(served).items()}
        left = [f"{count} {what}" for what, count in grown.items() if count > 0]
        measured[name].left = ", ".join(left) or NOTHING


def report(measured: dict[str, Measured], size: Size) -> Report:
    missing = [name for name in SERVERS if name not in measured]
    tables = [speeds(measured), behaviour(measured, size)]
    notes = [f"{name}: not installed." for name in missing]
    return Report(
        title="Other servers",
        how=f"The studio's application, one process each, PostgreSQL, Redis and the pub/sub layer. "
        f"Deliveries and p99 as in the fan-out, {size.fan_out.watchers} watchers; reload: from "
        f"connecting to the last of {LOG} events; {size.fan_out.rounds} rounds after a warm-up, "
        f"servers in turn, median (lowest to highest). KiB per socket: {size.sockets} attached "
        f"ones, private memory of all processes. Reset: what {size.cycles} connections leave "
        f"{size.settle:.0f} s later, during {EVENTS_PER_SECOND:.0f} events a second. "
        f"Stalled: peak memory per client of {STALLED} that request a long log for "
        f"{size.stalled_seconds:.0f} s and read nothing. Then the response to a wrong token, to "
        "messages of 70 KB and 2 MiB, and when the server gets SIGTERM.",
        tables=tables,
        goals=[],
        notes=notes,
        excerpts=[
            Excerpt(
                page="operations.md",
                mark="servers",
                text="\n\n".join([*(table.markdown() for table in tables), *notes]),
            )
        ],
    )


def speeds(measured: dict[str, Measured]) -> Table:
    floor = measured[DAPHNE]
    rows = [
        [
            name,
            spread(each.deliveries, 0),
            spread(ratios(each.deliveries, floor.deliveries)),
            spread(each.p99, 1),
            spread(each.reload, 1),
            spread(ratios(each.reload, floor.reload)),
            f"{each.kib:.1f}",
        ]
        for name, each in measured.items()
    ]
    columns = (
        *("server", "deliveries/s", "× Daphne", "p99, ms"),
        *("reload, ms", "× Daphne", "KiB per socket"),
    )
    return Table(columns=columns, rows=rows)


def behaviour(measured: dict[str, Measured], size: Size) -> Table:
    rows = [
        [
            name,
            each.left,
            f"{each.stalled_kib:.0f}",
            each.refused,
            each.too_long,
            each.far_too_long,
            each.stopped,
        ]
        for name, each in measured.items()
    ]
    columns = (
        *("server", f"{size.cycles} reset sockets leave", "KiB per stalled client"),
        *("wrong token", "70 KB", "2 MiB", "SIGTERM"),
    )
    return Table(columns=columns, rows=rows)
