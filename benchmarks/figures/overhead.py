"""Figure 1: time that the studio adds to the model's, for one person."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from statistics import median

from benchmarks.lib.report import Goal, Report, Table, spread
from benchmarks.lib.rounds import alternating
from benchmarks.lib.systems import ALONE, APART, DIRECT, Requester, SocketRequester, System, systems

GOALS = {ALONE: 10.0, APART: 15.0}
"""Milliseconds."""

REST = 0.7
"""Seconds between pictures, so that a thumbnail is not made during the next one."""

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
"""From one mark to the next, as the client receives them."""

MODEL_S = 1.0


def measure(quick: bool) -> Report:
    rounds = 1 if quick else 7
    with systems(people=1) as sides:
        times, parts = asyncio.run(run_rounds(sides, rounds))
    return report(times, parts, rounds)


async def run_rounds(sides: list[System], rounds: int) -> tuple[Times, Parts]:
    """One at a time, alternately in both directions; the first picture of each is a warm-up."""
    requesters: dict[str, Requester] = {
        system.name: (await system.requesters(1))[0] for system in sides
    }
    await asyncio.gather(*(requester.request() for requester in requesters.values()))
    times: Times = defaultdict(list)
    parts: Parts = defaultdict(list)
    for number in range(rounds):
        for name in alternating(requesters, number):
            requester = requesters[name]
            times[name].append(await requester.request())
            if isinstance(requester, SocketRequester) and name in GOALS:
                parts[name].append({**requester.marks, "result": times[name][-1]})
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
            "The last stage needs at least a decode with checks, a file with two fsyncs and one "
            "transaction. The stages before it are 5, 8 and 3 statements, each with a switch to "
            "the database thread and a commit; `append` measures the two statements of an event "
            "alone. The call also includes the step that is written when it ends, and a "
            "concurrent check of the picture. Most of the rest would go if the claim set the seed "
            "and the id of the call, if slot, model and queue were read in one statement, and if "
            "statements were compiled once.",
        ],
    )


def stages(marks: list[dict[str, float]]) -> list[str]:
    """Milliseconds of each of `STAGES`."""
    columns = []
    for start, end in STAGES.values():
        model = MODEL_S if end == "finishing" else 0.0
        lasted = [(each[end] - each.get(start, 0.0) - model) * 1e3 for each in marks]
        columns.append(spread(lasted, 1))
    return columns


def compared(times: Times, name: str, *, ratio: bool = False) -> list[float]:
    """Of each round: multiple of the direct call, or milliseconds more."""
    pairs = zip(times[name], times[DIRECT], strict=True)
    return [ours / direct if ratio else (ours - direct) * 1e3 for ours, direct in pairs]
