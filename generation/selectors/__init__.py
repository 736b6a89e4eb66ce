"""Reading: logs, the line, and what pages show."""

from __future__ import annotations

from generation.selectors.clock import DatabaseClock, clock
from generation.selectors.expectations import expected_seconds, stall_limit, task_seconds
from generation.selectors.line import (
    in_line,
    live_workers,
    next_in_line,
    queue_places,
    reason_to_wait,
    workers_of_host,
)
from generation.selectors.log import LogPage, interruptions, log_after, newest_seqs, state_of
from generation.selectors.tasks import (
    Card,
    ModelRow,
    accepts_model,
    active_cursors,
    card_of,
    event_rows,
    model_rows,
    picture_of,
    recent_cards,
    visible_among,
    visible_task,
)

__all__ = [
    "Card",
    "DatabaseClock",
    "LogPage",
    "ModelRow",
    "accepts_model",
    "active_cursors",
    "card_of",
    "clock",
    "event_rows",
    "expected_seconds",
    "in_line",
    "interruptions",
    "live_workers",
    "log_after",
    "model_rows",
    "newest_seqs",
    "next_in_line",
    "picture_of",
    "queue_places",
    "reason_to_wait",
    "recent_cards",
    "stall_limit",
    "state_of",
    "task_seconds",
    "visible_among",
    "visible_task",
    "workers_of_host",
]
