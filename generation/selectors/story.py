"""All that the page of one task tells beside its card: where the time went, and its relatives."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypedDict

from django.urls import reverse

from generation.models import GenerationTask, TaskEvent
from generation.protocol import EventFrame, QueuePlace, empty_state, fold
from generation.selectors.outlook import queue_places
from generation.selectors.slowness import Verdict, verdict
from generation.selectors.waterfall import Waterfall, asides_of, waterfall

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

RELATIVES = 12
"""Tasks made from this one that are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """`place`: where a task stands that waits now."""

    seq: int
    fall: Waterfall
    verdict: Verdict
    place: QueuePlace | None


class Kin(TypedDict):
    """Another task that this one was made from, or that was made from it."""

    name: str
    url: str


def story_of(task: GenerationTask, *, now: datetime) -> Story:
    frames = frames_of(task)
    state = fold(empty_state(str(task.pk)), frames)
    fall = waterfall(state, task.data, now=now.timestamp(), asides=asides_of(frames))
    key = str(task.pk)
    return Story(
        seq=state["seq"],
        fall=fall,
        verdict=verdict(fall, task.data, status=state["status"]),
        place=queue_places([key], now=now).get(key) if fall.goes_on else None,
    )


def frames_of(task: GenerationTask) -> list[EventFrame]:
    """The whole log, in order."""
    rows = TaskEvent.objects.filter(task=task).order_by("seq").values_list("frame", flat=True)
    return [json.loads(frame) for frame in rows]


def parent_of(task: GenerationTask, user: User | AnonymousUser) -> Kin | None:
    """Where it came from, if the person may see that."""
    parent = task.parent
    return kin(parent) if parent is not None and parent.is_visible_to(user) else None


def children_of(task: GenerationTask, user: User | AnonymousUser) -> list[Kin]:
    """Retries and variations, newest first."""
    rows = GenerationTask.objects.visible_to(user).filter(parent=task).newest_first()
    return [kin(child) for child in rows[:RELATIVES]]


def kin(task: GenerationTask) -> Kin:
    return {"name": str(task.pk)[:8], "url": reverse("task", args=[task.pk])}
