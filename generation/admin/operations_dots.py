"""Geometry of the chart of times: p50 and p95 of the wait and of each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log10

from generation.admin.operations_charts import Box, Tick, round_

DOT_PLOT = Box(164, 10, 118, 0)
DOT_ROW = 25.0


@dataclass(frozen=True, slots=True)
class DotRow:
    """`p50` and `p95` in seconds, None without a measurement; `left` and `right` are their x."""

    name: str
    y: float
    p50: float | None
    p95: float | None
    left: float = 0.0
    right: float = 0.0

    @property
    def text_at(self) -> float:
        return self.y + 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DotChart:
    plot: Box
    rows: list[DotRow]
    decades: list[Tick]
    width: int = 400

    @property
    def axis_at(self) -> float:
        return self.plot.y + self.plot.height + 16

    @property
    def height(self) -> float:
        return self.plot.y + self.plot.height + 24


def dot_chart(rows: Sequence[tuple[str, float | None, float | None]]) -> DotChart:
    """A logarithmic scale from 0.01 s to the decade of the longest time."""
    plot = Box(DOT_PLOT.x, DOT_PLOT.y, DOT_PLOT.width, DOT_ROW * len(rows))
    longest = max((p95 for _name, _p50, p95 in rows if p95), default=10.0)
    last = max(1, ceil(log10(longest)))
    decades = range(-2, last + 1)

    def x(seconds: float) -> float:
        share = (log10(max(0.01, seconds)) + 2) / (last + 2)
        return round_(plot.x + plot.width * min(1.0, share))

    return DotChart(
        plot=plot,
        rows=[
            DotRow(
                name,
                plot.y + DOT_ROW * (number + 0.5),
                p50,
                p95,
                x(p50) if p50 is not None else 0.0,
                x(p95) if p95 is not None else 0.0,
            )
            for number, (name, p50, p95) in enumerate(rows)
        ],
        decades=[Tick(x(10.0**each), f"{10.0**each:g}") for each in decades],
    )
