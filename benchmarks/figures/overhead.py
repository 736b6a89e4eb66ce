"""Figure 1: what the studio adds to the model's own time, for one person."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from statistics import median

from benchmarks.lib.report import Goal, Report, Table, spread
from benchmarks.lib.systems import ALONE, APART, DIRECT, Asker, SocketAsker, System, systems

GOALS = {ALONE: 10.0, APART: 15.0}
"""Milliseconds."""

REST = 0.7
"""Seconds between pictures: the thumbnail of one must not fall into another's time."""

Times = dict[str, list[float]]
"""Seconds per picture, by system and round."""

Parts = dict[str, list[dict[str, float]]]
"""Seconds from the submission until each mark on the way, by system and round."""

STAGES = {
    "submission": ("", "ack"),
    "claim": ("ack", "claimed"),
    "until the call": ("claimed", "preparing"),
    "the call beyond its second": ("preparing", "finishing"),
    "check, file, rows, delivery": ("finishing", "result"),
}
"""From the one mark until the other, as the person hears them."""

MODEL_S = 1.0


def measure(quick: bool) -> Report:
    rounds = 1 if quick else 7
    with systems(people=1) as asked:
        times, parts = asyncio.run(play(asked, rounds))
    return report(times, parts, rounds)


async def play(asked: list[System], rounds: int) -> tuple[Times, Parts]:
    """One after the other, in turn forwards and backwards; the first picture of each warms up."""
    askers: dict[str, Asker] = {system.name: (await system.askers(1))[0] for system in asked}
    await asyncio.gather(*(asker.ask() for asker in askers.values()))
    times: Times = defaultdict(list)
    parts: Parts = defaultdict(list)
    for number in range(rounds):
        for name in list(askers) if number % 2 == 0 else list(askers)[::-1]:
            asker = askers[name]
            times[name].append(await asker.ask())
            if isinstance(asker, SocketAsker) and name in GOALS:
                parts[name].append({**asker.marks, "result": times[name][-1]})
            await asyncio.sleep(REST)
    return times, parts


def report(times: Times, parts: Parts, rounds: int) -> Report:
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
            ),
            Table(
                columns=("where the ms go", *STAGES),
                rows=[[name, *stages(parts[name])] for name in parts],
            ),
        ],
        goals=[
            Goal(
                wanted=f"{name}: at most {goal:.0f} ms more than directly",
                measured=f"{spread(added[name], 1)} ms",
                met=median(added[name]) <= goal,
            )
            for name, goal in GOALS.items()
        ],
        notes=[
            "The floor of the last stage is what an answer needs before it may be shown: decoded "
            "and checked, a file with two fsyncs, one transaction. The stages before it are 5, 8 "
            "and 3 statements, each stage with its way to the thread that has the database and "
            "its commit; `append` says what an event costs by the two statements alone. The call "
            "itself also pays for the step that is written when it ends, and for a check of the "
            "picture at the same time. What would remove most of the rest: the seed and the id of "
            "the call within the claim, a slot, a model and a line that are asked for at once, "
            "and statements that need not be built anew each time.",
        ],
    )


def stages(heard: list[dict[str, float]]) -> list[str]:
    """Milliseconds of each of `STAGES`."""
    told = []
    for start, end in STAGES.values():
        model = MODEL_S if end == "finishing" else 0.0
        lasted = [(each[end] - each.get(start, 0.0) - model) * 1e3 for each in heard]
        told.append(spread(lasted, 1))
    return told


def compared(times: Times, name: str, *, ratio: bool = False) -> list[float]:
    """Of each round: how many times as long as the direct call, or how many ms more."""
    pairs = zip(times[name], times[DIRECT], strict=True)
    return [mine / direct if ratio else (mine - direct) * 1e3 for mine, direct in pairs]
