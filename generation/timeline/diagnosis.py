"""Why a task took so long: what it waited for, what broke, what was slower than usual."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from generation.choices import Step, TaskStatus
from generation.estimates import PRIOR, scale, task_seconds
from generation.protocol import TaskData
from generation.timeline.spans import Row, Waterfall

NOTICEABLE = 0.5
"""Seconds below which nobody asks."""

SHARE = 0.1
"""A cause took at least this part of all the time."""

SLOW = 1.25
"""Times the usual from which a whole task counts as slow."""

FAST = 0.8
SLOW_STEP = 1.5
MOST_CAUSES = 2


Mood = Literal["slow", "fast", "usual", "first", "spread", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """`seconds`: what it cost; of a step, beyond the usual. `row`: the worst of its `count`."""

    kind: Literal["in_line", "interrupted", "model", "step"]
    seconds: float
    row: Row
    count: int = 1
    took: float = 0.0
    usual: float = 0.0

    @property
    def times(self) -> float:
        return self.took / self.usual if self.usual else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`usual`: seconds such a task takes by past ones; None before the first was measured."""

    mood: Mood
    total: float
    usual: float | None
    causes: list[Cause]


def verdict(fall: Waterfall, task: TaskData, *, status: str) -> Verdict:
    usual = None if is_guess(task) else task_seconds(task["expected"], task["n"])
    found = [*waiting(fall), *breaks(fall), *slow_steps(fall, task, usual)]
    least = max(NOTICEABLE, SHARE * fall.total)
    causes = sorted((c for c in found if c.seconds >= least), key=lambda c: -c.seconds)
    slow = usual is None or fall.total > SLOW * usual
    mood: Mood = "none"
    if causes and slow:
        mood = "slow"
    elif status == TaskStatus.COMPLETED:
        mood = compared(fall.total, usual)
    return Verdict(mood=mood, total=fall.total, usual=usual, causes=causes[:MOST_CAUSES])


def compared(total: float, usual: float | None) -> Mood:
    """Of a task for which no single cause stands out."""
    if usual is None:
        return "first"
    if total < FAST * usual:
        return "fast"
    return "spread" if total > SLOW * usual and total - usual >= NOTICEABLE else "usual"


def is_guess(task: TaskData) -> bool:
    """Whether the task was sent before any of its model was measured."""
    size = {"width": task["width"], "height": task["height"], "steps": task["steps"]}
    guesses = {step: round(prior * scale(step, **size), 3) for step, prior in PRIOR.items()}
    return task["expected"] == guesses or not task["expected"]


def waiting(fall: Waterfall) -> list[Cause]:
    line = [Cause(kind="in_line", seconds=r.seconds, row=r) for r in rows_at(fall, "in_line")]
    model = [Cause(kind="model", seconds=r.seconds, row=r) for r in rows_at(fall, "model")]
    return [*line, *together(model)]


def rows_at(fall: Waterfall, step: str) -> list[Row]:
    return [row for row in fall.rows if row.step == step]


def together(causes: list[Cause]) -> list[Cause]:
    """Several of one kind as one."""
    if not causes:
        return []
    worst = max(causes, key=lambda cause: cause.seconds)
    return [replace(worst, seconds=sum(c.seconds for c in causes), count=len(causes))]


def breaks(fall: Waterfall) -> list[Cause]:
    """Of each interrupted attempt: from its last whole picture until the next attempt began."""
    began = {part.attempt: part.begins for part in fall.parts if part.attempt}
    causes = []
    for row in (row for row in fall.rows if row.kind == "interrupted"):
        kept = [
            each.ends
            for each in fall.rows
            if each.attempt == row.attempt and each.step == Step.FINISHING and each.kind == "work"
        ]
        since = max(kept, default=began[row.attempt])
        again = began.get(row.attempt + 1, fall.total)
        causes.append(Cause(kind="interrupted", seconds=again - since, row=row))
    return together(causes)


def slow_steps(fall: Waterfall, task: TaskData, usual: float | None) -> list[Cause]:
    """The steps of attempts that were not interrupted, over all pictures."""
    if usual is None:
        return []
    broken = {part.attempt for part in fall.bands}
    passed: dict[str, list[Row]] = {}
    for row in fall.rows:
        if row.attempt and row.attempt not in broken and row.kind != "waiting":
            passed.setdefault(row.step, []).append(row)
    causes = []
    for step, rows in passed.items():
        took = sum(row.seconds for row in rows)
        due = task["expected"].get(step, 0.0) * len({row.image for row in rows})
        if due and took >= SLOW_STEP * due:
            worst = max(rows, key=lambda row: row.seconds)
            causes.append(Cause(kind="step", seconds=took - due, row=worst, took=took, usual=due))
    return causes
