"""Geometry of the charts of the operations page; the templates draw it as SVG.

Coordinates are those of a chart's `viewBox`; y grows downwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from math import ceil, floor, log10

from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from generation.selectors import EndedBar, QueuePoint

STEPS = 4
"""Lines of a grid above 0."""

COUNT_TOPS = (4, 8, 12, 20, 40, 60, 80)
SECOND_TOPS = (4, 8, 20, 40, 60, 120, 240, 600, 1_200, 2_400, 3_600, 7_200, 14_400, 28_800, 86_400)


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    text: str

    @property
    def text_at(self) -> float:
        """The baseline of a text beside it."""
        return self.at + 4


@dataclass(frozen=True, slots=True)
class Box:
    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> float:
        """The end of texts before it."""
        return self.x - 8

    @property
    def right(self) -> float:
        """The beginning of texts behind it."""
        return self.x + self.width + 8


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment in a chart; its text ends at the line if `is_right`."""

    x: float
    text_x: float
    text_y: float
    text: str
    is_right: bool


MOST_MARKS = 3
MARK_HEIGHT = 15.0

QUEUE_PLOT = Box(34, 14, 456, 170)
BAR_PLOT = Box(34, 14, 416, 150)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueChart:
    plot: Box
    lines: list[str]
    """Points of the length of the queue; one text for each time without a gap."""
    areas: list[str]
    waits: list[str]
    gaps: list[Box]
    """Times in which no worker noted anything."""
    marks: list[Mark]
    counts: list[Tick]
    seconds: list[Tick]
    times: list[Tick]


def queue_chart(
    points: Sequence[QueuePoint], moments: Sequence[tuple[datetime, str]] = ()
) -> QueueChart:
    """`moments`: what happened when, the newest first."""
    plot = QUEUE_PLOT
    step = plot.width / max(1, len(points) - 1)
    queued_top = top_of((point.queued for point in points), COUNT_TOPS)
    wait_top = top_of((point.oldest_wait for point in points), SECOND_TOPS)
    lines, areas, waits, gaps = [], [], [], []
    numbered = enumerate(points)
    for is_known, group in groupby(numbered, key=lambda each: each[1].queued is not None):
        part = list(group)
        left, right = part[0][0] * step, part[-1][0] * step
        if not is_known:
            # up to the points beside it
            begin, end = max(0.0, left - step), min(plot.width, right + step)
            gaps.append(Box(round_(plot.x + begin), plot.y, round_(end - begin), plot.height))
            continue
        line = points_text(part, step, plot, queued_top, lambda point: point.queued or 0)
        lines.append(line)
        base = plot.y + plot.height
        areas.append(f"{plot.x + left:.1f},{base:.1f} {line} {plot.x + right:.1f},{base:.1f}")
        waits.append(points_text(part, step, plot, wait_top, lambda point: point.oldest_wait or 0))
    return QueueChart(
        plot=plot,
        lines=lines,
        areas=areas,
        waits=waits,
        gaps=gaps,
        marks=marks_of(points, moments, plot),
        counts=grid(plot, queued_top, lambda value: f"{value:g}"),
        seconds=grid(plot, wait_top, axis_text),
        times=time_ticks([point.start for point in points], plot.x, step, most=6),
    )


def marks_of(
    points: Sequence[QueuePoint], moments: Sequence[tuple[datetime, str]], plot: Box
) -> list[Mark]:
    """The newest moments within the chart."""
    first, last = points[0].start, points[-1].start
    within = [each for each in moments if first <= each[0]][:MOST_MARKS] if last > first else []
    marks = []
    for number, (at, text) in enumerate(within):
        share = min(1.0, (at - first) / (last - first))
        x, is_right = round_(plot.x + share * plot.width), share > 0.5
        y = plot.y + MARK_HEIGHT * (number + 0.8)
        marks.append(Mark(x, x - 5 if is_right else x + 5, round_(y), text, is_right))
    return marks


def points_text(
    part: Sequence[tuple[int, QueuePoint]],
    step: float,
    plot: Box,
    top: float,
    value: Callable[[QueuePoint], float],
) -> str:
    """`x,y` of each point; a single one is drawn as a short line."""
    found = [(plot.x + number * step, height(plot, value(point), top)) for number, point in part]
    if len(found) == 1:
        (x, y) = found[0]
        found = [(max(plot.x, x - step / 2), y), (min(plot.x + plot.width, x + step / 2), y)]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in found)


def height(plot: Box, value: float, top: float) -> float:
    return plot.y + plot.height * (1 - min(1.0, value / top))


def top_of(values: Iterable[float | None], tops: Sequence[int]) -> float:
    """The end of an axis: a round number that STEPS divide."""
    most = max((value for value in values if value is not None), default=0)
    for top in tops:
        if most <= top:
            return top
    unit = 10 ** floor(log10(most))
    return float(next(m * unit for m in (1, 2, 4, 8, 10) if most <= m * unit))


def grid(plot: Box, top: float, text: Callable[[float], str]) -> list[Tick]:
    values = [top * number / STEPS for number in range(STEPS + 1)]
    return [Tick(round_(height(plot, value, top)), text(value)) for value in values]


def axis_text(seconds: float) -> str:
    """A round duration in one unit."""
    if seconds < 120:
        return _("%(n)s s") % {"n": f"{seconds:g}"}
    if seconds < 7_200:
        return _("%(n)s min") % {"n": f"{seconds / 60:g}"}
    return _("%(n)s h") % {"n": f"{seconds / 3_600:g}"}


def time_ticks(times: Sequence[datetime], x: float, step: float, *, most: int) -> list[Tick]:
    """Labels for a few of the times, the last one among them."""
    every = max(1, ceil(len(times) / most))
    last = len(times) - 1
    is_long = bool(times) and times[-1] - times[0] > timedelta(days=2)
    return [
        Tick(round_(x + number * step), time_text(times[number], is_long=is_long))
        for number in sorted(range(last, -1, -every))
    ]


def time_text(moment: datetime, *, is_long: bool) -> str:
    """Time of day, or the date if the chart is `is_long`."""
    local = timezone.localtime(moment)
    return format_date(local, pgettext("date format", "M j")) if is_long else f"{local:%H:%M}"


@dataclass(frozen=True, slots=True)
class DrawnBar:
    bar: EndedBar
    x: float
    width: float
    completed: Box
    failed: Box
    is_running: bool
    """Whether its period is not over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BarChart:
    plot: Box
    bars: list[DrawnBar]
    counts: list[Tick]
    times: list[Tick]


def bar_chart(bars: Sequence[EndedBar]) -> BarChart:
    plot = BAR_PLOT
    top = top_of((bar.completed + bar.failed for bar in bars), COUNT_TOPS)
    step = plot.width / len(bars)
    width = min(40.0, step * 0.82)
    drawn = []
    for number, bar in enumerate(bars):
        x = round_(plot.x + number * step + (step - width) / 2)
        completed = height(plot, bar.completed, top)
        both = height(plot, bar.completed + bar.failed, top)
        base = plot.y + plot.height
        drawn.append(
            DrawnBar(
                bar,
                x,
                round_(width),
                Box(x, round_(completed), round_(width), round_(base - completed)),
                Box(x, round_(both), round_(width), round_(max(0.0, completed - both))),
                is_running=number == len(bars) - 1,
            )
        )
    return BarChart(
        plot=plot,
        bars=drawn,
        counts=grid(plot, top, lambda value: f"{value:g}"),
        times=time_ticks([bar.start for bar in bars], plot.x + step / 2, step, most=6),
    )


def round_(value: float) -> float:
    return round(value, 1)
