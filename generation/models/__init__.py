"""Rows: tasks with their log and pictures, and the machinery that works on them."""

from __future__ import annotations

from generation.models.collection import Collection
from generation.models.share_links import ShareLink
from generation.models.tasks import (
    GeneratedImage,
    GenerationTask,
    TaskEvent,
)
from generation.models.workers import Installation, ModelSlot, ModelState, Worker

__all__ = [
    "Collection",
    "GeneratedImage",
    "GenerationTask",
    "Installation",
    "ModelSlot",
    "ModelState",
    "ShareLink",
    "TaskEvent",
    "Worker",
]
