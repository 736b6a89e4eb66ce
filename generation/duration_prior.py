"""Expected seconds of steps and tasks: the prior, and its scaling with the size."""

from __future__ import annotations

from generation.choices import Step

REFERENCE_PIXELS = 512 * 512
REFERENCE_STEPS = 9
REFERENCE_WORK = REFERENCE_PIXELS * REFERENCE_STEPS
PRIOR = {
    Step.LOADING.value: 0.1,
    Step.PREPARING.value: 0.2,
    Step.GENERATING.value: 5.0,
    Step.DECODING.value: 0.4,
    Step.FINISHING.value: 0.1,
}
"""Seconds per step at 512² and 9 steps, until a task of the model was measured."""


def scale(step: str, *, width: int, height: int, steps: int) -> float:
    """Duration of `step` relative to the reference size."""
    if step == Step.GENERATING:
        return width * height * steps / REFERENCE_WORK
    if step in (Step.DECODING, Step.FINISHING):
        return width * height / REFERENCE_PIXELS
    return 1.0


def task_seconds(expected: dict[str, float], n: int) -> float:
    """Seconds for a whole task of `n` pictures."""
    loading = expected[Step.LOADING]
    return loading + n * (sum(expected.values()) - loading)


def size_bucket(width: int, height: int) -> str:
    """Pictures of one bucket have the same number of pixels within a factor of two.

    Text, because it is a key of JSON.
    """
    return str((width * height - 1).bit_length())
