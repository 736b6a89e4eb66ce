"""Figure 2: fifty people who ask in the same moment."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass
from statistics import median

from benchmarks.lib.report import Goal, Report, Table, percentile, spread
from benchmarks.lib.systems import ALONE, APART, DIRECT, Asker, System, systems
from benchmarks.servers.fixed_model import SECONDS

GOAL_P50 = 1.05
GOAL_THROUGHPUT = 0.90
REST = 3.0
"""Seconds between rounds: thumbnails of one side must not fall into another's time."""


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds each person waited, and until everybody had a picture."""

    waits: list[float]
    seconds: float
    cpu: float
    """Seconds of a processor that the side's web and worker used."""

    @property
    def p50(self) -> float:
        return median(self.waits)

    @property
    def per_second(self) -> float:
        return len(self.waits) / self.seconds

    @property
    def cpu_ms(self) -> float:
        """Of one picture."""
        return 1e3 * self.cpu / len(self.waits)


Rounds = dict[str, list[Round]]


def measure(quick: bool) -> Report:
    people, rounds = (5, 1) if quick else (50, 5)
    with systems(people=people) as asked:
        played = asyncio.run(play(asked, people, rounds))
    return report(played, people, rounds)


async def play(asked: list[System], people: int, rounds: int) -> Rounds:
    askers = {system.name: await system.askers(people) for system in asked}
    for system in asked:
        await together(system, askers[system.name])
    played: Rounds = defaultdict(list)
    for number in range(rounds):
        for system in asked if number % 2 == 0 else asked[::-1]:
            played[system.name].append(await together(system, askers[system.name]))
    return played


async def together(system: System, askers: list[Asker]) -> Round:
    began, used = time.perf_counter(), system.cpu_seconds()
    waits = await asyncio.gather(*(asker.ask() for asker in askers))
    took, cpu = time.perf_counter() - began, system.cpu_seconds() - used
    await asyncio.sleep(REST)
    return Round(waits=list(waits), seconds=took, cpu=cpu)


def report(played: Rounds, people: int, rounds: int) -> Report:
    slower = {name: ratios(played, name, "p50") for name in played}
    as_many = {name: ratios(played, name, "per_second") for name in played}
    columns = (
        *("side", "p50, s", "p50, × direct", "p99, s", "pictures/s", "pictures/s, × direct"),
        "CPU of web and worker, ms per picture",
    )
    rows = [
        [
            name,
            spread([each.p50 for each in played[name]], 3),
            spread(slower[name]),
            spread([percentile(each.waits, 0.99) for each in played[name]], 3),
            spread([each.per_second for each in played[name]], 1),
            spread(as_many[name]),
            spread([each.cpu_ms for each in played[name]], 1) if name in (ALONE, APART) else "",
        ]
        for name in played
    ]
    return Report(
        title="Fifty people at once",
        how=f"{people} people, each with an account and a socket, ask in the same moment; the "
        "model takes exactly 1 s for each of any number. From the submission until the result "
        f"frame. {rounds} rounds after a warm-up, all in turn. Median (lowest to highest).",
        tables=[Table(columns=columns, rows=rows)],
        goals=[goal for name in (ALONE, APART) for goal in goals(name, slower, as_many)],
        notes=[note(name, played, people) for name in (ALONE, APART)],
    )


def note(name: str, played: Rounds, people: int) -> str:
    """What a picture may cost for the goal, and what it costs: everything else is the model's."""
    direct = median(each.seconds for each in played[DIRECT])
    ours = median(each.seconds for each in played[name])
    used = median(each.cpu_ms for each in played[name])
    room = 1e3 * (direct / GOAL_THROUGHPUT - SECONDS) / people
    return (
        f"{name}: {GOAL_THROUGHPUT:.2f} × leaves {room:.1f} ms of time per picture beside the "
        f"model's {SECONDS:.0f} s, for everybody's work, the model server's and the askers' too. "
        f"Web and worker alone use {used:.1f} ms of a processor, and pictures follow each other "
        f"every {1e3 * (ours - SECONDS) / people:.1f} ms."
    )


def goals(name: str, slower: dict[str, list[float]], as_many: dict[str, list[float]]) -> list[Goal]:
    return [
        Goal(
            wanted=f"{name}: p50 at most {GOAL_P50} × direct",
            measured=f"{spread(slower[name])} ×",
            met=median(slower[name]) <= GOAL_P50,
        ),
        Goal(
            wanted=f"{name}: at least {GOAL_THROUGHPUT:.2f} × the pictures per second",
            measured=f"{spread(as_many[name])} ×",
            met=median(as_many[name]) >= GOAL_THROUGHPUT,
        ),
    ]


def ratios(played: Rounds, name: str, figure: str) -> list[float]:
    """Of each round: the figure as a multiple of the direct calls'."""
    pairs = zip(played[name], played[DIRECT], strict=True)
    return [getattr(mine, figure) / getattr(direct, figure) for mine, direct in pairs]
