"""The same application under other servers: how fast, how large, and how well they behave."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import struct
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.figures import fan_out
from benchmarks.lib.asgi_servers import SERVERS, installed
from benchmarks.lib.listeners import Listeners, Place, listeners
from benchmarks.lib.process_stats import family, memory, open_files
from benchmarks.lib.report import Excerpt, Report, Table, ratios, spread
from benchmarks.lib.socket_client import TEXT, Client, Refused, crowd, dial
from benchmarks.lib.testbed import OURS, Person, Served, Side, Stand

DAPHNE = "daphne"
LOG = 100
AT_ONCE = 40
EVENTS_PER_SECOND = 50.0
DEAF = 5
RECEIVE_BUFFER = 4_096
ASKS_EVERY = 0.5
TOO_LONG = 70_000
FAR_TOO_LONG = 2 * 2**20
"""Bytes of a message: over our own limit, and over every server's that has one of 1 MiB."""

PATIENCE = 15.0
NOTHING = "nothing"
Numbers = dict[str, list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    fan_out: fan_out.Size
    reloads: int
    sockets: int
    cycles: int
    settle: float
    deaf_seconds: float
    long_log: int


QUICK = Size(
    fan_out=fan_out.Size(watchers=10, burst=20, seconds=0.25, rounds=1),
    reloads=3,
    sockets=10,
    cycles=20,
    settle=1.0,
    deaf_seconds=0.5,
    long_log=100,
)
WHOLE = Size(
    fan_out=fan_out.Size(watchers=200, burst=120, seconds=2.0, rounds=5),
    reloads=30,
    sockets=500,
    cycles=500,
    settle=12.0,
    deaf_seconds=8.0,
    long_log=2_000,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One person, a task with events, one with a short log and one with a long one."""

    size: Size
    stand: Stand
    audience: Listeners
    person: Person
    task: str
    short: str
    long: str
    served: dict[str, Served]

    def in_turn(self, number: int) -> list[str]:
        return list(self.served) if number % 2 == 0 else list(self.served)[::-1]


@dataclass(slots=True, kw_only=True)
class Measured:
    """KiB per socket; what 500 torn off leave; KiB per deaf client; what was told, in words."""

    deliveries: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    reload: list[float] = field(default_factory=list)
    kib: float = 0.0
    left: str = ""
    deaf_kib: float = 0.0
    refused: str = ""
    stopped: str = ""
    too_long: str = ""
    far_too_long: str = ""


def measure(quick: bool) -> Report:
    size = QUICK if quick else WHOLE
    measured: dict[str, Measured] = defaultdict(Measured)
    with Stand() as stand, listeners() as audience, scene_of(stand, audience, size) as scene:
        broadcast(scene, measured)
        asyncio.run(behave(scene, measured))
    return report({name: measured[name] for name in SERVERS if name in measured}, size)


@contextmanager
def scene_of(stand: Stand, audience: Listeners, size: Size) -> Iterator[Scene]:
    (person,) = stand.writer.people(1)
    task, short, long = (stand.writer.task(person) for _each in range(3))
    stand.writer.events(short, LOG)
    stand.writer.events(long, size.long_log)
    with ExitStack() as ends:
        served = {
            name: ends.enter_context(
                stand.serving(Side(name, OURS.application, OURS.signs_in), server)
            )
            for name, server in installed().items()
        }
        yield Scene(
            size=size,
            stand=stand,
            audience=audience,
            person=person,
            task=task,
            short=short,
            long=long,
            served=served,
        )


def broadcast(scene: Scene, measured: dict[str, Measured]) -> None:
    """As in the figure of the fan-out, a task for each server; the first round does not count."""
    size, publishers = scene.size.fan_out, {}
    for name, served in scene.served.items():
        task = scene.stand.writer.task(scene.person)
        headers = served.side.headers(scene.person)
        place = Place(port=served.port, headers=headers, task=task)
        scene.audience.attach(name, place, size.watchers)
        publishers[name] = fan_out.stored(scene.stand, task)
    for number in range(size.rounds + 1):
        for name in scene.in_turn(number):
            told = fan_out.play(scene.audience, name, publishers[name], size)
            if number:
                measured[name].deliveries.append(told[0])
                measured[name].p99.append(told[2])


async def behave(scene: Scene, measured: dict[str, Measured]) -> None:
    await reload(scene, measured)
    for name, served in scene.served.items():
        measured[name].kib = await kib_per_socket(scene, served)
    await tear_off(scene, measured)
    for name, served in scene.served.items():
        each = measured[name]
        each.deaf_kib = await kib_per_deaf(scene, served)
        each.refused = await told_who_may_not(served)
        each.too_long = await told_for(scene, served, TOO_LONG)
        each.far_too_long = await told_for(scene, served, FAR_TOO_LONG)
        each.stopped = await told_at_the_end(scene, served)


async def reload(scene: Scene, measured: dict[str, Measured]) -> None:
    """Milliseconds from dialling until the last of the log; medians of five rounds."""
    rounds = scene.size.fan_out.rounds
    for number in range(rounds + 1):
        took: Numbers = defaultdict(list)
        for _again in range(scene.size.reloads):
            for name in scene.in_turn(number):
                began = time.perf_counter()
                client = await scene.served[name].attach(scene.person, scene.short)
                took[name].append((time.perf_counter() - began) * 1e3)
                client.transport.close()
        for name in scene.served if number else ():
            measured[name].reload.append(median(took[name]))


async def kib_per_socket(scene: Scene, served: Served) -> float:
    served.figures()
    before = used(served)
    count = scene.size.sockets
    clients = await crowd(count, lambda _number: served.attach(scene.person, scene.task))
    served.figures()
    grown = used(served) - before
    for client in clients:
        client.transport.close()
    await asyncio.gather(*(client.closed for client in clients))
    return grown / count


def used(served: Served) -> int:
    """KiB of its own, in all its processes."""
    return sum(memory(pid).uss for pid in family(served.pid))


async def tear_off(scene: Scene, measured: dict[str, Measured]) -> None:
    """Connections that are reset while events come; all servers have the same time to settle."""
    before = {name: counts(served) for name, served in scene.served.items()}
    with scene.stand.writer.flow([scene.task], EVENTS_PER_SECOND):
        for served in scene.served.values():
            await crowd(scene.size.cycles, lambda _, s=served: cycle(scene, s), at_once=AT_ONCE)  # type: ignore[misc]
    await asyncio.sleep(scene.size.settle)
    for name, served in scene.served.items():
        grown = {what: count - before[name][what] for what, count in counts(served).items()}
        left = [f"{count} {what}" for what, count in grown.items() if count > 0]
        measured[name].left = ", ".join(left) or NOTHING


async def cycle(scene: Scene, served: Served) -> None:
    client = await dial(served.port, served.side.headers(scene.person))
    greeted = client.heard(b'"hello"')
    try:
        await client.opened
        await greeted
        client.send(action="attach", task_id=scene.task, after=0)
        await asyncio.sleep(random.uniform(0, 0.03))
    except Refused:
        pass
    finally:
        client.reset()


def counts(served: Served) -> dict[str, int]:
    figures = served.figures()
    files = sum(open_files(pid) for pid in family(served.pid))
    return {"sockets": figures["sockets"], "tasks": figures["asyncio tasks"], "files": files}


async def kib_per_deaf(scene: Scene, served: Served) -> float:
    """What clients cost at the worst that read nothing and go on asking for a long log."""
    served.figures()
    before, worst = used(served), 0
    beings = [
        await served.connect(scene.person, receive_buffer=RECEIVE_BUFFER) for _ in range(DEAF)
    ]
    for being in beings:
        being.transport.pause_reading()
    end = time.monotonic() + scene.size.deaf_seconds
    while time.monotonic() < end:
        for being in beings:
            being.send(action="attach", task_id=scene.long, after=0)
        await asyncio.sleep(ASKS_EVERY)
        worst = max(worst, used(served) - before)
    for being in beings:
        being.reset()
    return worst / DEAF


async def told_who_may_not(served: Served) -> str:
    """The close code of somebody with a wrong token."""
    client = await dial(served.port, {"Authorization": "Bearer nobody"})
    return await ending(client)


async def told_for(scene: Scene, served: Served, length: int) -> str:
    """The answer to so long a message: a code of ours, or the close code."""
    client = await served.connect(scene.person)
    refusal = client.heard(b'"error"')
    client.transport.write(long_frame(json.dumps({"action": "ping", "x": "x" * length}).encode()))
    ends: list[asyncio.Future[Any]] = [refusal, client.closed]
    await asyncio.wait(ends, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    if refusal.done() and not refusal.cancelled():
        said: dict[str, str] = json.loads(refusal.result())
        client.transport.close()
        return f"`{said['code']}`"
    return await ending(client)


def long_frame(payload: bytes) -> bytes:
    return struct.pack("!BBQ", 128 | TEXT, 128 | 127, len(payload)) + bytes(4) + payload


async def told_at_the_end(scene: Scene, served: Served) -> str:
    """The close code of a socket whose server is asked to stop."""
    client = await served.connect(scene.person)
    served.signal(signal.SIGTERM)
    return await ending(client)


async def ending(client: Client) -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            await client.opened
            return str(await client.closed)
    except Refused as refused:
        return str(refused)
    except TimeoutError:
        client.reset()
        return NOTHING


def report(measured: dict[str, Measured], size: Size) -> Report:
    missing = [name for name in SERVERS if name not in measured]
    tables = [speeds(measured), manners(measured, size)]
    notes = [f"{name}: not installed." for name in missing]
    return Report(
        title="Other servers",
        how=f"The studio's application, one process each, PostgreSQL, Redis and the pub/sub layer. "
        f"Deliveries and p99 as in the fan-out, {size.fan_out.watchers} watchers; reload: from "
        f"dialling to the last of {LOG} events; {size.fan_out.rounds} rounds after a warm-up, "
        f"servers in turn, median (lowest to highest). KiB per socket: {size.sockets} attached "
        f"ones, own memory of all its processes. Torn off: what {size.cycles} connections leave "
        f"{size.settle:.0f} s later that were reset among {EVENTS_PER_SECOND:.0f} events a second. "
        f"Deaf: memory of each of {DEAF} clients at the worst that ask for a long log again and "
        f"again for {size.deaf_seconds:.0f} s and read nothing. The rest: what a client is told "
        "that has a wrong token, that sends 70 KB or 2 MiB, and whose server gets SIGTERM.",
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


def manners(measured: dict[str, Measured], size: Size) -> Table:
    rows = [
        [
            name,
            each.left,
            f"{each.deaf_kib:.0f}",
            each.refused,
            each.too_long,
            each.far_too_long,
            each.stopped,
        ]
        for name, each in measured.items()
    ]
    columns = (
        *("server", f"{size.cycles} torn off leave", "KiB per deaf client"),
        *("wrong token", "70 KB", "2 MiB", "SIGTERM"),
    )
    return Table(columns=columns, rows=rows)
