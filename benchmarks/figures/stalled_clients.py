"""Figure 9: what clients that do not read cost the process, and everybody else."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, replace

from benchmarks.lib.process_stats import memory
from benchmarks.lib.report import Goal, Report, Table, percentile, spread
from benchmarks.lib.socket_client import Client, crowd
from benchmarks.lib.testbed import OURS, STOCK, Person, Served, Stand

DEAF = 20
RECEIVE_BUFFER = 4_096
ATTACH_EVERY = 0.5
EVENTS_PER_SECOND = 100.0
WRITTEN = re.compile(rb'"done":(\d+)')
TOO_SLOW = 4408
GOAL_RATIO = 1.2
GOAL_KIB = 1_024.0
PATIENCE = 40.0
"""Seconds after which a product that lets go of stuck readers after 30 has done so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """`task` has events all the time; `long` has a long log.

    In the first `onset` seconds the deaf ask for what they will not read: work as for anybody.
    `gone` seconds after they were reset nothing of them is left; Daphne needs ten.
    """

    person: Person
    task: str
    long: str
    readers: int
    rounds: int
    seconds: float
    onset: float
    gone: float
    patience: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """p99 in ms of each round; KiB per stuck client; how many were let go, and read why."""

    alone: list[float]
    onset: list[float]
    beside_deaf: list[float]
    kib: float
    let_go: int
    told: int


def measure(quick: bool) -> Report:
    readers, rounds, log = (5, 1, 100) if quick else (50, 5, 5_000)
    seconds, onset, gone, patience = (1.0, 0.5, 0.5, 0.5) if quick else (5.0, 2.0, 12.0, PATIENCE)
    outcomes = {}
    with Stand() as stand:
        person = stand.writer.people(1)[0]
        scene = Scene(
            person=person,
            task=stand.writer.task(person),
            long=stand.writer.task(person),
            readers=readers,
            rounds=rounds,
            seconds=seconds,
            onset=onset,
            gone=gone,
            patience=patience,
        )
        stand.writer.events(scene.long, log)
        for side, played in ((OURS, scene), (STOCK, replace(scene, rounds=1))):
            with stand.serving(side) as served:
                outcomes[side.name] = asyncio.run(play(stand, served, played))
    return report(outcomes, scene, log)


async def play(stand: Stand, served: Served, scene: Scene) -> Outcome:
    """Rounds in turn without and with deaf clients; then wait until they are let go."""
    readers = await crowd(scene.readers, lambda _: served.attach(scene.person, scene.task))
    alone: list[float] = []
    onset: list[float] = []
    beside: list[float] = []
    with stand.writer.flow([scene.task], EVENTS_PER_SECOND):
        await p99(readers, scene.seconds / 4)
        for number in range(scene.rounds):
            for deaf in (False, True) if number % 2 == 0 else (True, False):
                if not deaf:
                    alone.append(await p99(readers, scene.seconds))
                    continue
                beings = await deafen(served, scene)
                onset.append(await p99(readers, scene.onset))
                beside.append(await p99(readers, scene.seconds))
                for being in beings:
                    being.reset()
                await asyncio.sleep(scene.gone)
        served.figures()
        before = memory(served.pid).rss
        kib, let_go, told = await outlast(served, scene, before)
    for reader in readers:
        reader.transport.abort()
    return Outcome(alone=alone, onset=onset, beside_deaf=beside, kib=kib, let_go=let_go, told=told)


async def p99(readers: list[Client], seconds: float) -> float:
    """Milliseconds from before an event is written to its reader, over all readers."""
    delays: list[float] = []

    def note(text: bytes) -> None:
        match = WRITTEN.search(text)
        if match:
            delays.append(time.monotonic_ns() / 1e6 - int(match[1]) / 1e3)

    for reader in readers:
        reader.on_text = note
    await asyncio.sleep(seconds)
    return percentile(delays, 0.99)


async def deafen(served: Served, scene: Scene) -> list[Client]:
    """Clients that stop reading, and go on asking for a long log."""
    beings = []
    for _ in range(DEAF):
        being = await served.connect(scene.person, receive_buffer=RECEIVE_BUFFER)
        being.transport.pause_reading()
        beings.append(being)
    for being in beings:
        asyncio.get_running_loop().create_task(ask_and_ask(being, scene))
    return beings


async def ask_and_ask(being: Client, scene: Scene) -> None:
    while not being.transport.is_closing():
        being.send(action="attach", task_id=scene.task, after=0)
        being.send(action="attach", task_id=scene.long, after=0)
        await asyncio.sleep(ATTACH_EVERY)


async def outlast(served: Served, scene: Scene, before: int) -> tuple[float, int, int]:
    """KiB per stuck client at the worst; how many the server let go; how many know why."""
    sockets = open_sockets(served)
    beings = await deafen(served, scene)
    worst, end = 0, time.monotonic() + scene.patience
    while time.monotonic() < end:
        worst = max(worst, memory(served.pid).rss - before)
        await asyncio.sleep(0.5)
    let_go = DEAF - (open_sockets(served) - sockets)
    for being in beings:
        being.transport.resume_reading()
    await asyncio.sleep(2)
    told = sum(being.closed.done() and being.close_code == TOO_SLOW for being in beings)
    for being in beings:
        being.reset()
    return worst / DEAF, let_go, told


def open_sockets(served: Served) -> int:
    figures = served.figures()
    return figures.get("sockets", figures["layer channels"])


def report(outcomes: dict[str, Outcome], scene: Scene, log: int) -> Report:
    ours = outcomes[OURS.name]
    ratios = pairs(ours)
    columns = (
        "side",
        "p99 alone, ms",
        f"p99 in their first {scene.onset:.1f} s, ms",
        "p99 beside the deaf, ms",
        "ratio",
        "KiB per deaf client",
        "let go",
        "saw 4408",
    )
    return Report(
        title="Deaf clients",
        how=f"{scene.readers} readers of a task with {EVENTS_PER_SECOND:.0f} events a second; "
        f"{DEAF} clients that read nothing and go on attaching to it and to one with {log:,} "
        f"events. {scene.rounds} pairs of rounds of {scene.seconds:.0f} s (the stock side one, it "
        "never recovers), without and with "
        f"them in turn, {scene.onset:.1f} s after they came; then {scene.patience:.0f} s with "
        "them for memory (RSS at its highest) and to see whether they are let go. Median "
        "(lowest to highest). Latency begins before the write and includes the commit.",
        tables=[
            Table(columns=columns, rows=[row(name, each) for name, each in outcomes.items()]),
        ],
        goals=[
            Goal(
                wanted=f"p99 of the others at most {GOAL_RATIO} ×",
                measured=f"{spread(ratios)} ×",
                met=percentile(ratios, 0.5) <= GOAL_RATIO,
            ),
            Goal(
                wanted="at most 1 MiB per deaf client",
                measured=f"{ours.kib:.0f} KiB",
                met=ours.kib <= GOAL_KIB,
            ),
        ],
        notes=[
            "A side whose p99 is seconds falls behind for ever: its ratio means nothing.",
            "The floor of a deaf client of ours: 64 KiB in the transport and 256 frames in its "
            "queue, some 0.2 MiB; what he did not take of a page is in the log alone. The rest "
            "is what Python keeps after so many logs were read at once, for it is measured at "
            "its highest.",
        ],
    )


def pairs(outcome: Outcome) -> list[float]:
    rounds = zip(outcome.beside_deaf, outcome.alone, strict=True)
    return [beside / alone for beside, alone in rounds]


def row(name: str, outcome: Outcome) -> list[str]:
    return [
        name,
        spread(outcome.alone, 1),
        spread(outcome.onset, 1),
        spread(outcome.beside_deaf, 1),
        spread(pairs(outcome)),
        f"{outcome.kib:.0f}",
        f"{outcome.let_go} of {DEAF}",
        str(outcome.told),
    ]
