"""Time sides alternately; the first one changes, so that none always runs on a warm CPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter

Side = Callable[[], object]


def in_turn(sides: Mapping[str, Side], rounds: int, times: int) -> dict[str, list[float]]:
    """Median milliseconds of every round by side, after one warm-up round.

    Within a round the sides alternate call by call.
    """
    medians: dict[str, list[float]] = {name: [] for name in sides}
    order = list(sides)
    for number in range(rounds + 1):
        took: dict[str, list[float]] = {name: [] for name in sides}
        for _again in range(times):
            order.append(order.pop(0))
            for name in order:
                took[name].append(milliseconds(sides[name]))
        for name in sides if number else ():
            medians[name].append(median(took[name]))
    return medians


def milliseconds(side: Side) -> float:
    began = perf_counter()
    side()
    return (perf_counter() - began) * 1e3
