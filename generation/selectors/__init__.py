"""Reading: logs, the line, and what pages show."""

from __future__ import annotations

from generation.selectors.clock import DatabaseClock, clock
from generation.selectors.comparing import Comparison, comparison
from generation.selectors.expectations import expected_seconds, stall_limit, task_seconds
from generation.selectors.gallery import (
    STATUSES,
    GalleryFilter,
    GalleryItem,
    GalleryPage,
    gallery_page,
)
from generation.selectors.line import (
    ModelRow,
    in_line,
    live_workers,
    model_rows,
    next_in_line,
    reason_to_wait,
    workers_of_host,
)
from generation.selectors.log import LogPage, interruptions, log_after, newest_seqs, state_of
from generation.selectors.outlook import (
    Outlook,
    model_offers,
    paces_of,
    queue_places,
    read_outlook,
)
from generation.selectors.pictures import (
    MAX_KEYS,
    PictureAbout,
    PictureKey,
    about,
    picture_about,
    picture_of,
    pictures_of_keys,
    read_key,
)
from generation.selectors.slowness import Cause, Verdict
from generation.selectors.story import Story, children_of, parent_of, story_of
from generation.selectors.tasks import (
    Card,
    accepts_model,
    active_among,
    active_cursors,
    card_of,
    event_rows,
    last_settings,
    may_be_parent,
    recent_cards,
    seqs_of_visible,
    tasks_to_follow,
    unfinished_of,
    visible_among,
    visible_task,
)
from generation.selectors.waterfall import Part, Row

__all__ = [
    "MAX_KEYS",
    "STATUSES",
    "Card",
    "Cause",
    "Comparison",
    "DatabaseClock",
    "GalleryFilter",
    "GalleryItem",
    "GalleryPage",
    "LogPage",
    "ModelRow",
    "Outlook",
    "Part",
    "PictureAbout",
    "PictureKey",
    "Row",
    "Story",
    "Verdict",
    "about",
    "accepts_model",
    "active_among",
    "active_cursors",
    "card_of",
    "children_of",
    "clock",
    "comparison",
    "event_rows",
    "expected_seconds",
    "gallery_page",
    "in_line",
    "interruptions",
    "last_settings",
    "live_workers",
    "log_after",
    "may_be_parent",
    "model_offers",
    "model_rows",
    "newest_seqs",
    "next_in_line",
    "paces_of",
    "parent_of",
    "picture_about",
    "picture_of",
    "pictures_of_keys",
    "queue_places",
    "read_key",
    "read_outlook",
    "reason_to_wait",
    "recent_cards",
    "seqs_of_visible",
    "stall_limit",
    "state_of",
    "story_of",
    "task_seconds",
    "tasks_to_follow",
    "unfinished_of",
    "visible_among",
    "visible_task",
    "workers_of_host",
]
