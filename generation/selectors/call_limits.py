"""When a call of a model server counts as stuck, and how long it may take at all."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from generation.choices import Step

STALL_FLOOR = timedelta(seconds=120)
STALL_FACTOR = 10
DEADLINE_FLOOR = timedelta(hours=1)
DEADLINE_FACTOR = 20
"""Factors are of the expected time of one picture."""


def stall_limit(expected: dict[str, float]) -> timedelta:
    """Time without progress after which a call is aborted."""
    if settings.GENERATION_STALL:
        limit: timedelta = settings.GENERATION_STALL
        return limit
    return max(STALL_FLOOR, STALL_FACTOR * picture_time(expected))


def deadline_limit(expected: dict[str, float]) -> timedelta:
    """Total time for one picture of an attempt, whatever progress is reported.

    Includes delays that the model server requests. The floor is for the first picture of a model
    without a GPU, which has no median yet. Never below the stall limit.
    """
    limit: timedelta = settings.GENERATION_DEADLINE
    if not limit:
        limit = max(DEADLINE_FLOOR, DEADLINE_FACTOR * picture_time(expected))
    return max(limit, stall_limit(expected))


def picture_time(expected: dict[str, float]) -> timedelta:
    return timedelta(seconds=sum(expected.values()) - expected[Step.LOADING])
