"""Whether an interrupted task is tried again, and when."""

from __future__ import annotations

from datetime import timedelta

from generation import selectors
from generation.choices import COUNTED_INTERRUPTIONS, InterruptReason
from generation.models import GenerationTask

MAX_FAILED_ATTEMPTS = 3
"""Attempts that may fail before the task fails."""

MAX_ATTEMPTS = 200
"""Attempts of one task, however they end; with their pauses they take at least 95 minutes."""

MAX_ABORTED = 10
"""Calls of one task that may be aborted on the model server before the task fails."""

MAX_PAUSE = timedelta(seconds=30)
RETRY_AT_ONCE = COUNTED_INTERRUPTIONS | {InterruptReason.HANDED_BACK}
"""After these the next attempt begins as soon as a slot is free; after others it is delayed."""


def is_last(task: GenerationTask, reason: InterruptReason) -> bool:
    """Whether an interruption by `reason` is the last one that the task may have."""
    if reason in COUNTED_INTERRUPTIONS:
        return task.failed_attempts + 1 >= MAX_FAILED_ATTEMPTS
    if reason != InterruptReason.HANDED_BACK and task.attempt >= MAX_ATTEMPTS:
        return True
    if reason != InterruptReason.CALL_ABORTED:
        return False
    return selectors.interruptions(task.pk, reason) + 1 >= MAX_ABORTED


def retry_delay(ends: int) -> timedelta:
    """1, 2, 4 … 30 seconds, so that attempts that end at once do not fill the log."""
    return min(MAX_PAUSE, timedelta(seconds=2 ** min(ends, 5)))
