"""Figure 2: fifty people who submit at the same moment."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass
from statistics import median

from benchmarks.lib.report import Goal, Report, Table, percentile, ratio_goal, spread
from benchmarks.lib.rounds import alternating
from benchmarks.lib.systems import ALONE, APART, DIRECT, Requester, System, systems
from benchmarks.servers.fixed_model import SECONDS

GOAL_P50 = 1.05
GOAL_THROUGHPUT = 0.90
REST = 3.0
"""Seconds between rounds, so that thumbnails of one side are not made during another's round."""


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds that each person waited, and until all had a picture."""

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
    with systems(people=people) as sides:
        rounds_by_side = asyncio.run(run_rounds(sides, people, rounds))
    return report(rounds_by_side, people, rounds)


async def run_rounds(sides: list[System], people: int, rounds: int) -> Rounds:
    requesters = {system.name: await system.requesters(people) for system in sides}
    for system in sides:
        await request_together(system, requesters[system.name])
    rounds_by_side: Rounds = defaultdict(list)
    for number in range(rounds):
        for system in alternating(sides, number):
            rounds_by_side[system.name].append(
                await request_together(system, requesters[system.name])
            )
    return rounds_by_side


async def request_together(system: System, requesters: list[Requester]) -> Round:
    began, used = time.perf_counter(), system.cpu_seconds()
    waits = await asyncio.gather(*(requester.request() for requester in requesters))
    took, cpu = time.perf_counter() - began, system.cpu_seconds() - used
    await asyncio.sleep(REST)
    return Round(waits=list(waits), seconds=took, cpu=cpu)


def report(rounds_by_side: Rounds, people: int, rounds: int) -> Report:
    slower = {name: ratios(rounds_by_side, name, "p50") for name in rounds_by_side}
    throughput = {name: ratios(rounds_by_side, name, "per_second") for name in rounds_by_side}
    columns = (
        *("side", "p50, s", "p50, × direct", "p99, s", "pictures/s", "pictures/s, × direct"),
        "CPU of web and worker, ms per picture",
    )
    rows = [
        [
            name,
            spread([each.p50 for each in rounds_by_side[name]], 3),
            spread(slower[name]),
            spread([percentile(each.waits, 0.99) for each in rounds_by_side[name]], 3),
            spread([each.per_second for each in rounds_by_side[name]], 1),
            spread(throughput[name]),
            spread([each.cpu_ms for each in rounds_by_side[name]], 1)
            if name in (ALONE, APART)
            else "",
        ]
        for name in rounds_by_side
    ]
    return Report(
        title="Fifty people at once",
        how=f"{people} people, each with an account and a socket, submit at the same moment; the "
        "model takes exactly 1 s for each of any number. From the submission until the result "
        f"frame. {rounds} rounds after a warm-up, all in turn. Median (lowest to highest).",
        tables=[Table(columns=columns, rows=rows)],
        goals=[goal for name in (ALONE, APART) for goal in goals(name, slower, throughput)],
        notes=[note(name, rounds_by_side, people) for name in (ALONE, APART)],
    )


def note(name: str, rounds_by_side: Rounds, people: int) -> str:
    """Time per picture that the goal allows, and the time that it takes."""
    direct = median(each.seconds for each in rounds_by_side[DIRECT])
    ours = median(each.seconds for each in rounds_by_side[name])
    used = median(each.cpu_ms for each in rounds_by_side[name])
    room = 1e3 * (direct / GOAL_THROUGHPUT - SECONDS) / people
    return (
        f"{name}: {GOAL_THROUGHPUT:.2f} × leaves {room:.1f} ms of time per picture beside the "
        f"model's {SECONDS:.0f} s, for all processes, the model server and the clients included. "
        f"Web and worker alone use {used:.1f} ms of a processor, and pictures follow each other "
        f"every {1e3 * (ours - SECONDS) / people:.1f} ms."
    )


def goals(
    name: str, slower: dict[str, list[float]], throughput: dict[str, list[float]]
) -> list[Goal]:
    return [
        ratio_goal(f"{name}: p50 at most {GOAL_P50} × direct", slower[name], most=GOAL_P50),
        ratio_goal(
            f"{name}: at least {GOAL_THROUGHPUT:.2f} × the pictures per second",
            throughput[name],
            least=GOAL_THROUGHPUT,
        ),
    ]


def ratios(rounds_by_side: Rounds, name: str, figure: str) -> list[float]:
    """Of each round: the figure as a multiple of the direct calls'."""
    pairs = zip(rounds_by_side[name], rounds_by_side[DIRECT], strict=True)
    return [getattr(ours, figure) / getattr(direct, figure) for ours, direct in pairs]
