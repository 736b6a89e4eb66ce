"""Figure 9: the cost of clients that do not read, in memory and in delay of the others."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, replace

from benchmarks.lib.process_stats import memory
from benchmarks.lib.report import Goal, Report, Table, percentile, ratio_goal, spread
from benchmarks.lib.rounds import alternating
from benchmarks.lib.socket_client import Client, crowd
from benchmarks.lib.testbed import OURS, STOCK, Person, Served, Testbed

STALLED = 20
RECEIVE_BUFFER = 4_096
ATTACH_EVERY = 0.5
EVENTS_PER_SECOND = 100.0
WRITTEN = re.compile(rb'"done":(\d+)')
TOO_SLOW = 4408
GOAL_RATIO = 1.2
GOAL_KIB = 1_024.0
HOLD = 40.0
"""Seconds; stalled readers are disconnected after 30."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """`task` has events all the time; `long` has a long log.

    In the first `onset` seconds the stalled clients request frames like any other client.
    `recovery`: seconds until nothing is left of reset clients; Daphne needs ten.
    """

    person: Person
    task: str
    long: str
    readers: int
    rounds: int
    seconds: float
    onset: float
    recovery: float
    hold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """p99 in ms of each round; KiB per stalled client; how many were disconnected, and saw 4408."""

    alone: list[float]
    onset: list[float]
    beside_stalled: list[float]
    kib: float
    disconnected: int
    saw_code: int


def measure(quick: bool) -> Report:
    readers, rounds, log = (5, 1, 100) if quick else (50, 5, 5_000)
    seconds, onset, recovery, hold = (1.0, 0.5, 0.5, 0.5) if quick else (5.0, 2.0, 12.0, HOLD)
    outcomes = {}
    with Testbed() as testbed:
        person = testbed.writer.people(1)[0]
        setup = Setup(
            person=person,
            task=testbed.writer.task(person),
            long=testbed.writer.task(person),
            readers=readers,
            rounds=rounds,
            seconds=seconds,
            onset=onset,
            recovery=recovery,
            hold=hold,
        )
        testbed.writer.events(setup.long, log)
        for side, side_setup in ((OURS, setup), (STOCK, replace(setup, rounds=1))):
            with testbed.serving(side) as served:
                outcomes[side.name] = asyncio.run(run_rounds(testbed, served, side_setup))
    return report(outcomes, setup, log)


async def run_rounds(testbed: Testbed, served: Served, setup: Setup) -> Outcome:
    """Rounds in turn without and with stalled clients; then wait until those are disconnected."""
    readers = await crowd(setup.readers, lambda _: served.attach(setup.person, setup.task))
    alone: list[float] = []
    onset: list[float] = []
    beside_stalled: list[float] = []
    with testbed.writer.flow([setup.task], EVENTS_PER_SECOND):
        await p99(readers, setup.seconds / 4)
        for number in range(setup.rounds):
            for with_stalled in alternating((False, True), number):
                if not with_stalled:
                    alone.append(await p99(readers, setup.seconds))
                    continue
                stalled = await stall_clients(served, setup)
                onset.append(await p99(readers, setup.onset))
                beside_stalled.append(await p99(readers, setup.seconds))
                for client in stalled:
                    client.reset()
                await asyncio.sleep(setup.recovery)
        served.figures()
        before = memory(served.pid).rss
        kib, disconnected, saw_code = await hold_stalled(served, setup, before)
    for reader in readers:
        reader.transport.abort()
    return Outcome(
        alone=alone,
        onset=onset,
        beside_stalled=beside_stalled,
        kib=kib,
        disconnected=disconnected,
        saw_code=saw_code,
    )


async def p99(readers: list[Client], seconds: float) -> float:
    """Milliseconds from before an event is written to its reader, over all readers."""
    delays: list[float] = []

    def record(text: bytes) -> None:
        match = WRITTEN.search(text)
        if match:
            delays.append(time.monotonic_ns() / 1e6 - int(match[1]) / 1e3)

    for reader in readers:
        reader.on_text = record
    await asyncio.sleep(seconds)
    # a busy machine may deliver none in half a second
    while not delays:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    return percentile(delays, 0.99)


async def stall_clients(served: Served, setup: Setup) -> list[Client]:
    """Clients that stop reading and keep requesting a long log."""
    stalled = []
    for _ in range(STALLED):
        client = await served.connect(setup.person, receive_buffer=RECEIVE_BUFFER)
        client.transport.pause_reading()
        stalled.append(client)
    for client in stalled:
        asyncio.get_running_loop().create_task(keep_attaching(client, setup))
    return stalled


async def keep_attaching(client: Client, setup: Setup) -> None:
    while not client.transport.is_closing():
        client.send(action="attach", task_id=setup.task, after=0)
        client.send(action="attach", task_id=setup.long, after=0)
        await asyncio.sleep(ATTACH_EVERY)


async def hold_stalled(served: Served, setup: Setup, before: int) -> tuple[float, int, int]:
    """Peak KiB per stalled client; how many were disconnected; how many saw the close code."""
    sockets = open_sockets(served)
    stalled = await stall_clients(served, setup)
    worst, end = 0, time.monotonic() + setup.hold
    while time.monotonic() < end:
        worst = max(worst, memory(served.pid).rss - before)
        await asyncio.sleep(0.5)
    disconnected = STALLED - (open_sockets(served) - sockets)
    for client in stalled:
        client.transport.resume_reading()
    await asyncio.sleep(2)
    saw_code = sum(client.closed.done() and client.close_code == TOO_SLOW for client in stalled)
    for client in stalled:
        client.reset()
    return worst / STALLED, disconnected, saw_code


def open_sockets(served: Served) -> int:
    figures = served.figures()
    return figures.get("sockets", figures["layer channels"])


def report(outcomes: dict[str, Outcome], setup: Setup, log: int) -> Report:
    ours = outcomes[OURS.name]
    ratios = pairs(ours)
    columns = (
        "side",
        "p99 alone, ms",
        f"p99 in their first {setup.onset:.1f} s, ms",
        "p99 with stalled clients, ms",
        "ratio",
        "KiB per stalled client",
        "disconnected",
        "saw 4408",
    )
    return Report(
        title="Stalled clients",
        how=f"{setup.readers} readers of a task with {EVENTS_PER_SECOND:.0f} events a second; "
        f"{STALLED} clients that read nothing and keep attaching to it and to one with {log:,} "
        f"events. {setup.rounds} pairs of rounds of {setup.seconds:.0f} s (the stock side one, it "
        "never recovers), without and with "
        f"them in turn, {setup.onset:.1f} s after they connected; then {setup.hold:.0f} s with "
        "them for peak RSS and to see whether they are disconnected. Median "
        "(lowest to highest). Latency begins before the write and includes the commit.",
        tables=[
            Table(columns=columns, rows=[row(name, each) for name, each in outcomes.items()]),
        ],
        goals=[
            ratio_goal(f"p99 of the others at most {GOAL_RATIO} ×", ratios, most=GOAL_RATIO),
            Goal(
                wanted="at most 1 MiB per stalled client",
                measured=f"{ours.kib:.0f} KiB",
                met=ours.kib <= GOAL_KIB,
            ),
        ],
        notes=[
            "A side whose p99 is seconds never catches up: its ratio means nothing.",
            "A stalled client of ours holds at least 64 KiB in the transport and 256 frames in its "
            "queue, some 0.2 MiB. The rest is memory that Python keeps after many concurrent "
            "log reads, because the peak is measured.",
        ],
    )


def pairs(outcome: Outcome) -> list[float]:
    rounds = zip(outcome.beside_stalled, outcome.alone, strict=True)
    return [beside_stalled / alone for beside_stalled, alone in rounds]


def row(name: str, outcome: Outcome) -> list[str]:
    return [
        name,
        spread(outcome.alone, 1),
        spread(outcome.onset, 1),
        spread(outcome.beside_stalled, 1),
        spread(pairs(outcome)),
        f"{outcome.kib:.0f}",
        f"{outcome.disconnected} of {STALLED}",
        str(outcome.saw_code),
    ]
