"""Figure 5: what thousands of reset connections leave behind in a process."""

from __future__ import annotations

import asyncio
import os
import random
import re
import time
from dataclasses import dataclass, field, replace

from benchmarks.lib.process_stats import memory, open_files
from benchmarks.lib.report import Goal, Report, Table
from benchmarks.lib.socket_client import Client, Refused, crowd, dial
from benchmarks.lib.testbed import OURS, STOCK, Person, Served, Side, Testbed

PEOPLE = 10
AT_ONCE = 40
EVENTS_PER_SECOND = 100.0
DRAW_EVERY = 2.0
SETTLED_AFTER = 12.0
"""Seconds for cleanup to finish; Daphne takes up to ten."""

LINGER = 65.0
"""Seconds after which the hub has left unused groups."""

STOCK_SHARE = 5
"""The stock side gets one connection in five: each leaves something behind."""

CYCLES = int(os.environ.get("CYCLES", "2000"))
"""Connections per round. Any growth of a count fails; more cycles find rarer leaks."""

KEPT_BYTES = 256
"""Allowed growth per connection, allocator noise; a leaked socket costs a hundred times as much."""

Counts = dict[str, int]
SEQ = re.compile(rb'"seq":(\d+)')
REPLAYED = 50
"""Events that an attach reads from the log, whatever its length."""

MOMENTS = ("handshake", "greeting", "attaching", "replay", "live")
"""Stages at which a client is reset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    people: list[Person]
    tasks: list[str]
    cycles: int
    settle: float
    linger: float
    newest: dict[str, int] = field(default_factory=dict)

    def remember(self, task: str, text: bytes) -> None:
        match = SEQ.search(text)
        if match:
            self.newest[task] = max(int(match[1]), self.newest.get(task, REPLAYED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Counts after the warm-up, after each round and after the groups' linger; events written."""

    cycles: int
    counts: list[Counts]
    events: int
    seconds: float


def measure(quick: bool) -> Report:
    cycles, settle, linger = (60, 1.0, 1.0) if quick else (CYCLES, SETTLED_AFTER, LINGER)
    with Testbed(drawing=True) as testbed:
        people = testbed.writer.people(PEOPLE)
        tasks = [testbed.writer.task(person) for person in people]
        setup = Setup(people=people, tasks=tasks, cycles=cycles, settle=settle, linger=linger)
        fewer = max(1, cycles // STOCK_SHARE)
        counted_by_side = {}
        for side, side_setup in ((OURS, setup), (STOCK, replace(setup, cycles=fewer, linger=0.0))):
            with testbed.serving(side) as served:
                counted_by_side[side.name] = asyncio.run(run_rounds(testbed, served, side_setup))
    return report(counted_by_side, setup)


async def run_rounds(testbed: Testbed, served: Served, setup: Setup) -> Counted:
    """A warm-up and two rounds; growth from the first to the second is a leak."""
    counts, events, began = [], 0, time.monotonic()
    for cycles in (setup.cycles // 5, setup.cycles, setup.cycles):
        with testbed.writer.flow(setup.tasks, EVENTS_PER_SECOND) as result:
            generating = asyncio.create_task(keep_generating(testbed, setup.people[0]))
            await crowd(cycles, lambda number: cycle(served, setup, number), at_once=AT_ONCE)
            generating.cancel()
        await asyncio.gather(generating, return_exceptions=True)
        events += result["written"]
        await asyncio.sleep(setup.settle)
        counts.append(read_counts(testbed, served))
    seconds = time.monotonic() - began
    await asyncio.sleep(setup.linger)
    counts.append(read_counts(testbed, served))
    return Counted(cycles=setup.cycles, counts=counts, events=events, seconds=seconds)


async def keep_generating(testbed: Testbed, person: Person) -> None:
    while True:
        testbed.writer.draw(person)
        await asyncio.sleep(DRAW_EVERY)


async def cycle(served: Served, setup: Setup, number: int) -> None:
    """Connect, continue to a random moment, wait up to 50 ms and reset."""
    turn = number % len(setup.people)
    person, task = setup.people[turn], setup.tasks[turn]
    client = await dial(served.port, served.side.headers(person))
    try:
        await reach_moment(client, setup, task, random.choice(MOMENTS))
        await asyncio.sleep(random.uniform(0, 0.05))
    except (Refused, asyncio.CancelledError):
        if not client.closed.done():
            raise
    finally:
        client.reset()


async def reach_moment(client: Client, setup: Setup, task: str, moment: str) -> None:
    greeted, live, event = (client.next_text(part) for part in (b'"hello"', b'"live"', b'"kind"'))
    if moment == "handshake":
        return
    await client.opened
    if moment == "greeting":
        return
    await greeted
    client.on_text = lambda text: setup.remember(task, text)
    client.send(action="attach", task_id=task, after=setup.newest.get(task, REPLAYED) - REPLAYED)
    if moment == "attaching":
        return
    await (event if moment == "replay" else live)


def read_counts(testbed: Testbed, served: Served) -> Counts:
    figures = served.figures()
    return {
        "Redis channels subscribed to": testbed.subscriptions(),
        "open files": open_files(served.pid),
        **figures,
        "RSS, KiB": memory(served.pid).rss,
    }


def report(counted_by_side: dict[str, Counted], setup: Setup) -> Report:
    ours, stock = counted_by_side[OURS.name], counted_by_side[STOCK.name]
    grown = growth(ours)
    memory_kept = grown.pop("RSS, KiB") * 1024 / setup.cycles
    kept = {name: value for name, value in grown.items() if value > 0}
    measured = ", ".join(f"{name} {value:+}" for name, value in kept.items()) or "no count grew"
    return Report(
        title="Abandoned sockets",
        how=f"{setup.cycles:,} connections a round, {AT_ONCE} at once, each reset (RST) at a "
        f"random moment: {', '.join(MOMENTS)}. Meanwhile {EVENTS_PER_SECOND:.0f} events a second "
        f"for {PEOPLE} people's running tasks, and pictures are drawn. Two rounds after a warm-up, "
        f"counted {setup.settle:.0f} s after each and, on our side, once more {setup.linger:.0f} s "
        f"later. The stock side gets {counted_by_side[STOCK.name].cycles:,} a round.",
        tables=[table(side, counted_by_side[side.name]) for side in (OURS, STOCK)],
        goals=[
            Goal(
                wanted="no count grows from round 1 to round 2",
                measured=measured,
                met=not kept,
            ),
            Goal(
                wanted=f"memory grows by less than {KEPT_BYTES} bytes per connection",
                measured=f"{memory_kept:.0f} bytes",
                met=memory_kept < KEPT_BYTES,
            ),
        ],
        notes=[
            f"{side.name}: {counted.events:,} events written in {counted.seconds:.0f} s."
            for side, counted in ((OURS, ours), (STOCK, stock))
        ],
    )


def growth(counted: Counted) -> Counts:
    _warm, first, second, _later = counted.counts
    return {name: second[name] - first[name] for name in second}


def table(side: Side, counted: Counted) -> Table:
    columns = ["warmed up", "round 1", "round 2", "later"]
    rows = [
        [
            name,
            *(f"{counts[name]:,}" for counts in counted.counts),
            f"{value / counted.cycles:.4f}",
        ]
        for name, value in growth(counted).items()
    ]
    return Table(columns=[side.name, *columns, "growth per connection"], rows=rows)
