"""Why a task was slow: waits, interruptions, and steps that took longer than usual."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from generation.choices import Step, TaskStatus
from generation.duration_prior import PRIOR, scale, task_seconds
from generation.protocol import TaskData
from generation.timeline.spans import Bar, Timeline

NOTICEABLE = 0.5
"""Seconds; shorter causes are ignored."""

SHARE = 0.1
"""Least part of the total time that a cause takes."""

SLOW = 1.25
"""A task counts as slow from this multiple of the usual time."""

FAST = 0.8
SLOW_STEP = 1.5
MAX_CAUSES = 2


Outcome = Literal["slow", "fast", "usual", "first", "spread", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """`seconds`: time lost; for a step, beyond the usual. `bar`: the longest of `count`."""

    kind: Literal["in_line", "interrupted", "model", "step"]
    seconds: float
    bar: Bar
    count: int = 1
    took: float = 0.0
    usual: float = 0.0

    @property
    def times(self) -> float:
        return self.took / self.usual if self.usual else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """`usual`: seconds that past tasks of this kind took; None before the first."""

    outcome: Outcome
    total: float
    usual: float | None
    causes: list[Cause]


def diagnose(timeline: Timeline, task: TaskData, *, status: str) -> Diagnosis:
    usual = None if is_guess(task) else task_seconds(task["expected"], task["n"])
    found = [*waiting(timeline), *interruptions(timeline), *slow_steps(timeline, task, usual)]
    least = max(NOTICEABLE, SHARE * timeline.total)
    causes = sorted((c for c in found if c.seconds >= least), key=lambda c: -c.seconds)
    slow = usual is None or timeline.total > SLOW * usual
    outcome: Outcome = "none"
    if causes and slow:
        outcome = "slow"
    elif status == TaskStatus.COMPLETED:
        outcome = compared(timeline.total, usual)
    return Diagnosis(outcome=outcome, total=timeline.total, usual=usual, causes=causes[:MAX_CAUSES])


def compared(total: float, usual: float | None) -> Outcome:
    """Outcome for a task without a dominant cause."""
    if usual is None:
        return "first"
    if total < FAST * usual:
        return "fast"
    return "spread" if total > SLOW * usual and total - usual >= NOTICEABLE else "usual"


def is_guess(task: TaskData) -> bool:
    """Whether the task was submitted before a task of its model was measured."""
    size = {"width": task["width"], "height": task["height"], "steps": task["steps"]}
    guesses = {step: round(prior * scale(step, **size), 3) for step, prior in PRIOR.items()}
    return task["expected"] == guesses or not task["expected"]


def waiting(timeline: Timeline) -> list[Cause]:
    queued = [
        Cause(kind="in_line", seconds=bar.seconds, bar=bar) for bar in bars_at(timeline, "in_line")
    ]
    model = [
        Cause(kind="model", seconds=bar.seconds, bar=bar) for bar in bars_at(timeline, "model")
    ]
    return [*queued, *merged(model)]


def bars_at(timeline: Timeline, step: str) -> list[Bar]:
    return [bar for bar in timeline.bars if bar.step == step]


def merged(causes: list[Cause]) -> list[Cause]:
    """Causes of the same kind, combined."""
    if not causes:
        return []
    worst = max(causes, key=lambda cause: cause.seconds)
    return [replace(worst, seconds=sum(c.seconds for c in causes), count=len(causes))]


def interruptions(timeline: Timeline) -> list[Cause]:
    """One cause per interrupted attempt: from its last stored picture to the next attempt."""
    began = {segment.attempt: segment.begins for segment in timeline.segments if segment.attempt}
    causes = []
    for bar in (bar for bar in timeline.bars if bar.kind == "interrupted"):
        kept = [
            each.ends
            for each in timeline.bars
            if each.attempt == bar.attempt and each.step == Step.FINISHING and each.kind == "work"
        ]
        since = max(kept, default=began[bar.attempt])
        again = began.get(bar.attempt + 1, timeline.total)
        causes.append(Cause(kind="interrupted", seconds=again - since, bar=bar))
    return merged(causes)


def slow_steps(timeline: Timeline, task: TaskData, usual: float | None) -> list[Cause]:
    """Steps of uninterrupted attempts, over all pictures."""
    if usual is None:
        return []
    broken = {segment.attempt for segment in timeline.bands}
    passed: dict[str, list[Bar]] = {}
    for bar in timeline.bars:
        if bar.attempt and bar.attempt not in broken and bar.kind != "waiting":
            passed.setdefault(bar.step, []).append(bar)
    causes = []
    for step, bars in passed.items():
        took = sum(bar.seconds for bar in bars)
        due = task["expected"].get(step, 0.0) * len({bar.image for bar in bars})
        if due and took >= SLOW_STEP * due:
            worst = max(bars, key=lambda bar: bar.seconds)
            causes.append(Cause(kind="step", seconds=took - due, bar=worst, took=took, usual=due))
    return causes
