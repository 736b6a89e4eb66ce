"""The page of one task beside its card: timeline and related tasks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypedDict

from django.urls import reverse

from generation.models import GenerationTask
from generation.protocol import EventFrame
from generation.selectors.events import shown_logs
from generation.selectors.tasks import Card, age, card_of
from generation.timeline.diagnosis import Diagnosis, diagnose
from generation.timeline.spans import Timeline, build_timeline, extras_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

RELATIVES = 12
"""Most tasks made from this one that are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDetail:
    """All parts from one read of the log, so that they agree.

    `log`: reduced to the shown events if it is long.
    """

    card: Card
    log: list[EventFrame]
    timeline: Timeline
    diagnosis: Diagnosis


class RelatedTask(TypedDict):
    """Another task that this one was made from, or that was made from it."""

    name: str
    url: str


def task_detail(task: GenerationTask, *, now: datetime) -> TaskDetail:
    log = shown_logs([task])[task.pk]
    card = card_of(task, now=now, log=log)
    state = card["state"]
    extras = extras_of(log, is_pruned=task.log_pruned_at is not None)
    timeline = build_timeline(state, card["task"], now=now.timestamp(), extras=extras)
    diagnosis = diagnose(timeline, card["task"], status=state["status"])
    return TaskDetail(card=card, log=log, timeline=timeline, diagnosis=diagnosis)


def parent_of(task: GenerationTask, user: User | AnonymousUser) -> RelatedTask | None:
    """The parent, if the user may see it."""
    parent = task.parent
    return related_task(parent) if parent is not None and parent.is_visible_to(user) else None


def children_of(task: GenerationTask, user: User | AnonymousUser) -> list[RelatedTask]:
    """Retries and variations, newest first."""
    # limited and sorted here: for a sorted query SQLite reads all tasks of the owner
    rows = [each for each in task.retries.order_by() if each.is_visible_to(user)]
    return [related_task(child) for child in sorted(rows, key=age, reverse=True)[:RELATIVES]]


def related_task(task: GenerationTask) -> RelatedTask:
    return {"name": str(task.pk)[:8], "url": reverse("task", args=[task.pk])}
