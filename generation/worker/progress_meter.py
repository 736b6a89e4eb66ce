"""Percentage and remaining time of one attempt, from expected and measured durations."""

from __future__ import annotations

from time import monotonic
from typing import Any

from generation.choices import Basis, Step
from generation.models import GenerationTask
from generation.services import Boundary, Fraction

CEILING = 99.0
"""Only the event `completed` shows 100."""

MAX_FRACTIONS = 1_000
"""Per attempt; beyond it only boundaries are written. Four images need at most 800."""

PICTURE_STEPS = (Step.PREPARING, Step.GENERATING, Step.DECODING, Step.FINISHING)


class ProgressMeter:
    """Weighs the steps by their expected seconds; the percentage never falls."""

    def __init__(self, task: GenerationTask, *, stored: int) -> None:
        self.expected: dict[str, float] = task.expected_durations
        self.n = task.image_count
        self.steps = task.steps
        self.stored = stored
        self.image = 0
        self.fractions_left = MAX_FRACTIONS
        self.percent = task.progress
        self.since = monotonic()
        self.passing: list[Step] = [Step.LOADING]
        self.spent: dict[Step, list[float]] = {}
        self.step = Step.LOADING
        self.first_seen: tuple[float, float] = (0.0, 0.0)

    @property
    def per_picture(self) -> float:
        return sum(self.expected[step] for step in PICTURE_STEPS)

    @property
    def total(self) -> float:
        return self.expected[Step.LOADING] + self.n * self.per_picture

    def start_image(self, image: int, *, seed: int) -> Boundary:
        """Begin the call for image `image` of the task."""
        self.image = image
        self.enter(Step.PREPARING)
        return self.boundary(seed=seed)

    def advance(self, step: Step) -> list[Boundary]:
        """Enter every step after the current one up to `step`; only the last was observed."""
        order = list(Step)
        boundaries = []
        for each in order[order.index(self.step) + 1 : order.index(step) + 1]:
            self.enter(each, observed=each == step)
            details = {"steps": self.steps} if each == Step.GENERATING else {}
            boundaries.append(self.boundary(observed=each == step, **details))
        return boundaries

    def boundary(self, *, observed: bool = True, **details: Any) -> Boundary:
        percent, remaining = self.read()
        estimated = self.step in (Step.DECODING, Step.FINISHING)
        return Boundary(
            step=self.step,
            progress=percent,
            basis=Basis.ESTIMATED if estimated else Basis.MEASURED,
            eta_seconds=remaining,
            image=self.image,
            observed=observed,
            details=details,
        )

    def fractions(self, fraction: float) -> list[Fraction]:
        """The fraction of the current image as a log entry; empty beyond MAX_FRACTIONS."""
        if not self.fractions_left:
            return []
        self.fractions_left -= 1
        percent, remaining = self.read(fraction)
        return [
            Fraction(
                progress=percent,
                eta_seconds=remaining,
                image=self.image,
                fraction=fraction,
                done=round(fraction * self.steps),
                total=self.steps,
            )
        ]

    def enter(self, step: Step, *, observed: bool = True) -> None:
        """Begin `step`: now if observed, else at some time since the last observed boundary.

        The time between two observed boundaries is divided among the steps within it, in
        proportion to their expected durations.
        """
        now = monotonic()
        if observed:
            expected = sum(self.expected.get(each, 0.0) for each in self.passing) or 1.0
            for each in self.passing:
                share = self.expected.get(each, 0.0) / expected
                self.spent.setdefault(each, []).append(share * (now - self.since))
            self.passing, self.since = [], now
        self.passing.append(step)
        self.step = step
        self.first_seen = (now, 0.0)

    def picture_stored(self) -> None:
        self.enter(Step.COMPLETED)
        self.stored += 1

    def measured(self) -> dict[str, float]:
        """Mean seconds of every step that passed."""
        return {
            step.value: round(sum(each) / len(each), 4)
            for step, each in self.spent.items()
            if step != Step.COMPLETED
        }

    def read(self, fraction: float = 0.0) -> tuple[float, float]:
        """(percentage, remaining seconds) with `fraction` of the current step done."""
        done = self.expected[Step.LOADING] + self.stored * self.per_picture
        if self.step == Step.LOADING:
            done -= self.expected[Step.LOADING]
        elif self.step in PICTURE_STEPS:
            passed = PICTURE_STEPS[: PICTURE_STEPS.index(self.step)]
            done += sum(self.expected[step] for step in passed)
            done += fraction * self.expected[self.step]
        self.percent = max(self.percent, min(CEILING, round(100 * done / self.total, 1)))
        return self.percent, self.remaining(done, fraction)

    def remaining(self, done: float, fraction: float) -> float:
        """Expected seconds left; for a running generation from its measured pace.

        The pace counts from the first observed fraction, because the call waits before it.
        """
        left = max(0.0, self.total - done)
        if self.step != Step.GENERATING or fraction <= 0:
            return left
        since, first = self.first_seen
        if first == 0.0:
            self.first_seen = (monotonic(), fraction)
            return left
        pace = (monotonic() - since) / (fraction - first)
        return max(0.0, left + (1 - fraction) * (pace - self.expected[Step.GENERATING]))
