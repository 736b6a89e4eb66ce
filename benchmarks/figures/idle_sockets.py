"""Figure 5: the cost of an idle signed-in socket."""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict
from dataclasses import dataclass

from benchmarks.lib.process_stats import cpu_seconds, memory
from benchmarks.lib.report import Report, Table, ratio_goal, spread
from benchmarks.lib.rounds import alternating
from benchmarks.lib.socket_client import Client, crowd
from benchmarks.lib.testbed import BARE, OURS, STOCK, Person, Served, Side, Testbed, Writer

GOAL = 1.6
WARM_UP = 20
WRITTEN = re.compile(rb'"done":(\d+)')


@dataclass(frozen=True, slots=True)
class Case:
    """`crowded`: every socket belongs to another person and attaches to nothing."""

    side: Side
    crowded: bool = False

    @property
    def name(self) -> str:
        return f"{self.side.name}, each socket another person" if self.crowded else self.side.name


CASES = (Case(BARE), Case(OURS), Case(STOCK), Case(OURS, True), Case(STOCK, True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """KiB per socket; seconds to connect all; share of one core while idle; ms per event."""

    uss: float
    rss: float
    connecting: float
    idle: float | None
    fanout: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """The people that connect, and the task that they watch."""

    people: list[Person]
    task: str
    writer: Writer
    settle: float
    idle_seconds: float
    events: int


def measure(quick: bool) -> Report:
    sockets, rounds, settle = (30, 1, 0.1) if quick else (500, 5, 1.0)
    idle, events = (0.5, 2) if quick else (5.0, 10)
    measured: dict[str, list[Round]] = defaultdict(list)
    with Testbed() as testbed:
        people = testbed.writer.people(sockets)
        task = testbed.writer.task(people[0])
        for number in range(rounds):
            last = number == rounds - 1
            audience = Audience(
                people=people,
                task=task,
                writer=testbed.writer,
                settle=settle,
                idle_seconds=idle if last else 0.0,
                events=events,
            )
            for case in alternating(CASES, number):
                with testbed.serving(case.side) as served:
                    measured[case.name].append(asyncio.run(one_round(served, case, audience)))
    return report(measured, sockets, rounds, idle)


async def one_round(served: Served, case: Case, audience: Audience) -> Round:
    async def one(number: int) -> Client:
        if case.crowded:
            return await served.connect(audience.people[number])
        return await served.attach(audience.people[0], audience.task)

    for client in await crowd(min(WARM_UP, len(audience.people)), one):
        client.transport.close()
    await asyncio.sleep(audience.settle)
    served.figures()
    before, began = memory(served.pid), time.monotonic()
    clients = await crowd(len(audience.people), one)
    connecting = time.monotonic() - began
    await asyncio.sleep(audience.settle)
    served.figures()
    after = memory(served.pid)
    idle = await idle_share(served.pid, audience.idle_seconds) if audience.idle_seconds else None
    receives = case.side is not BARE and not case.crowded
    fanout = [await time_to_all(clients, audience) for _ in range(audience.events) if receives]
    for client in clients:
        client.transport.abort()
    return Round(
        uss=(after.uss - before.uss) / len(clients),
        rss=(after.rss - before.rss) / len(clients),
        connecting=connecting,
        idle=idle,
        fanout=fanout,
    )


async def idle_share(pid: int, seconds: float) -> float:
    began = cpu_seconds(pid)
    await asyncio.sleep(seconds)
    return (cpu_seconds(pid) - began) / seconds


async def time_to_all(clients: list[Client], audience: Audience) -> float:
    """Milliseconds from before one event is written until the last socket has it."""
    arrived: list[float] = []
    complete = asyncio.Event()

    def record(text: bytes) -> None:
        match = WRITTEN.search(text)
        if match:
            arrived.append(time.monotonic_ns() / 1e6 - int(match[1]) / 1e3)
            if len(arrived) == len(clients):
                complete.set()

    for client in clients:
        client.on_text = record
    await asyncio.to_thread(audience.writer.events, audience.task)
    async with asyncio.timeout(30):
        await complete.wait()
    return max(arrived)


def report(
    measured: dict[str, list[Round]], sockets: int, rounds: int, idle_seconds: float
) -> Report:
    def ratios(case: Case) -> list[float]:
        pairs = zip(measured[case.name], measured[BARE.name], strict=True)
        return [ours.uss / bare.uss for ours, bare in pairs]

    rows = [row(case, measured[case.name], ratios(case)) for case in CASES]
    ours = ratios(Case(OURS))
    return Report(
        title="Idle sockets",
        how=f"{sockets:,} sockets, signed in and attached to one running task, no events; "
        f"{rounds} rounds, sides taking turns, each in a new process that {WARM_UP} sockets "
        "had warmed up. Median (lowest to highest). USS is private memory. "
        f"Idle CPU: once, over {idle_seconds:.0f} s. An event: from before it is written, commit "
        "included, until the last socket has it.",
        tables=[
            Table(
                columns=(
                    "side",
                    "KiB per socket, USS",
                    "KiB per socket, RSS",
                    "USS, × bare",
                    "s to connect all",
                    "idle, % of a core",
                    "ms for one event to all",
                ),
                rows=rows,
            )
        ],
        goals=[ratio_goal(f"at most {GOAL} × bare Daphne", ours, most=GOAL)],
    )


def row(case: Case, rounds: list[Round], ratios: list[float]) -> list[str]:
    idle = rounds[-1].idle
    fanout = [milliseconds for each in rounds for milliseconds in each.fanout]
    return [
        case.name,
        spread([each.uss for each in rounds], 1),
        spread([each.rss for each in rounds], 1),
        spread(ratios),
        spread([each.connecting for each in rounds], 1),
        "" if idle is None else f"{idle * 100:.1f}",
        spread(fanout, 0) if fanout else "",
    ]
