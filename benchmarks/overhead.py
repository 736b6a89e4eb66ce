"""Figure 1: what the studio adds to the model's own time, for one person."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from statistics import median

from benchmarks.report import Goal, Report, Table, spread
from benchmarks.systems import ALONE, APART, DIRECT, Asker, System, systems

GOALS = {ALONE: 10.0, APART: 15.0}
"""Milliseconds."""

REST = 0.7
"""Seconds between pictures: the thumbnail of one must not fall into another's time."""

Times = dict[str, list[float]]
"""Seconds per picture, by system and round."""


def measure(quick: bool) -> Report:
    rounds = 1 if quick else 7
    with systems(people=1) as asked:
        times = asyncio.run(play(asked, rounds))
    return report(times, rounds)


async def play(asked: list[System], rounds: int) -> Times:
    """One after the other, in turn forwards and backwards; the first picture of each warms up."""
    askers: dict[str, Asker] = {system.name: (await system.askers(1))[0] for system in asked}
    await asyncio.gather(*(asker.ask() for asker in askers.values()))
    times: Times = defaultdict(list)
    for number in range(rounds):
        for name in list(askers) if number % 2 == 0 else list(askers)[::-1]:
            times[name].append(await askers[name].ask())
            await asyncio.sleep(REST)
    return times


def report(times: Times, rounds: int) -> Report:
    added = {name: compared(times, name) for name in times}
    ratios = {name: compared(times, name, ratio=True) for name in times}
    return Report(
        title="Overhead over the model",
        how="One person, from the submission until the result frame, and the same call made "
        "directly; a model that takes exactly 1 s and answers with a JPEG of 512 × 512. "
        f"{rounds} rounds after a warm-up, all in turn. Median (lowest to highest).",
        tables=[
            Table(
                columns=("side", "ms for one picture", "ms more than directly", "× direct"),
                rows=[
                    [
                        name,
                        spread([each * 1e3 for each in times[name]], 1),
                        "" if name == DIRECT else spread(added[name], 1),
                        spread(ratios[name], 4),
                    ]
                    for name in times
                ],
            )
        ],
        goals=[
            Goal(
                wanted=f"{name}: at most {goal:.0f} ms more than directly",
                measured=f"{spread(added[name], 1)} ms",
                met=median(added[name]) <= goal,
            )
            for name, goal in GOALS.items()
        ],
    )


def compared(times: Times, name: str, *, ratio: bool = False) -> list[float]:
    """Of each round: how many times as long as the direct call, or how many ms more."""
    pairs = zip(times[name], times[DIRECT], strict=True)
    return [mine / direct if ratio else (mine - direct) * 1e3 for mine, direct in pairs]
