"""Durations of steps: medians of past tasks, or a prior before the first task."""

from __future__ import annotations

from collections import defaultdict
from statistics import median
from typing import TypedDict

from django.db.models import TextField

from generation.choices import Step, TaskStatus
from generation.compiled_query import CompiledQuery, Parameter
from generation.duration_prior import PRIOR, REFERENCE_STEPS, scale
from generation.models import GenerationTask

SAMPLE = 20
"""Past tasks that are read: enough for a median, few enough to follow a changed GPU."""

NEWEST_COMPLETED = CompiledQuery(
    GenerationTask.objects.filter(
        status=TaskStatus.COMPLETED, model=Parameter("model", TextField())
    )
    .order_by("-finished_at")
    .values_list("width", "height", "steps", "measured_durations")[:SAMPLE]
)


def measured_seconds(model: str) -> dict[str, float]:
    """Median seconds per step of recent tasks, scaled to the reference size."""
    samples: defaultdict[str, list[float]] = defaultdict(list)
    for width, height, steps, measured in NEWEST_COMPLETED.rows(model=model):
        for step, seconds in measured.items():
            samples[step].append(seconds / scale(step, width=width, height=height, steps=steps))
    return {step: median(values) for step, values in samples.items()}


def expected_seconds(*, model: str, width: int, height: int, steps: int) -> dict[str, float]:
    """Seconds per step for a task of this size; all but `loading` per picture."""
    measured = measured_seconds(model)
    return {
        step: round(
            measured.get(step, prior) * scale(step, width=width, height=height, steps=steps), 3
        )
        for step, prior in PRIOR.items()
    }


class ModelPace(TypedDict):
    """`seconds_per_step`: of one denoising step at 512²; `expected`: see `expected_seconds`.

    Both at the reference size, and None before the first task of the model.
    """

    seconds_per_step: float | None
    expected: dict[str, float] | None


UNKNOWN: ModelPace = {"seconds_per_step": None, "expected": None}


def pace_of(model: str) -> ModelPace:
    measured = measured_seconds(model)
    if Step.GENERATING not in measured:
        return UNKNOWN
    return {
        "seconds_per_step": round(measured[Step.GENERATING] / REFERENCE_STEPS, 4),
        "expected": {step: round(measured.get(step, prior), 3) for step, prior in PRIOR.items()},
    }
