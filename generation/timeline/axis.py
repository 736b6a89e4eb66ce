"""The axis of a timeline, in seconds since the submission, and its ticks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, count

from generation.protocol import TaskState

MAX_TICKS = 9
TICKS = (1, 2, 4, 5)
LONG_TICKS = (10, 20, 30, 60, 120, 240, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200)
MIN_AXIS_SECONDS = 0.1
"""Least length of the axis in seconds, for a task that was just submitted."""


class TimeAxis:
    """Unix seconds → seconds since the submission; never negative, never after the end."""

    def __init__(self, state: TaskState, now: float) -> None:
        self.origin = state["submitted_at"] or now
        self.goes_on = state["ended_at"] is None
        newest = state["updated_at"] or self.origin
        # the log's clock may be a little ahead of this host's
        last = max(now, newest) if self.goes_on else newest
        self.total = max(0.0, last - self.origin)

    def since(self, moment: float, least: float) -> float:
        """Clocks of hosts differ a little, so nothing begins before `least`."""
        return min(max(moment - self.origin, least), self.total)


def ticks(span: float) -> Iterator[float]:
    """Round seconds from 0 to `span`; five to nine of them."""
    fine = (digit * 10.0**power for power in range(-3, 1) for digit in TICKS)
    days = (86_400 * 2**power for power in count())
    step = next(step for step in chain(fine, LONG_TICKS, days) if span / step < MAX_TICKS)
    for number in range(int(span / step) + 1):
        yield round(number * step, 3)
