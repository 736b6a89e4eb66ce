"""What pages and sockets show of tasks; every reader asks at the row whether he may."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict

from django.conf import settings
from django.db.models import Case, Value, When

from generation.choices import UNFINISHED
from generation.exceptions import NotFound
from generation.models import GeneratedImage, GenerationTask, ModelState, TaskEvent
from generation.protocol import QueuePlace, TaskData, TaskState, empty_state, fold
from generation.selectors.line import live_workers, queue_places, reason_to_wait

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

PAGE_CARDS = 30


class Card(TypedDict):
    """All a page needs to draw one task and to go on from `state["seq"]`."""

    id: str
    task: TaskData
    state: TaskState
    queue: QueuePlace | None


class ModelRow(TypedDict):
    name: str
    ready: bool
    replicas: int
    reason: str


def visible_task(task_id: str | uuid.UUID, user: User | AnonymousUser) -> GenerationTask:
    """The task, if it exists and `user` may see it; NotFound otherwise, the same for both."""
    try:
        key = task_id if isinstance(task_id, uuid.UUID) else uuid.UUID(task_id)
        task = GenerationTask.objects.get(pk=key)
    except (GenerationTask.DoesNotExist, ValueError) as error:
        raise NotFound from error
    if not task.is_visible_to(user):
        raise NotFound
    return task


def visible_among(task_ids: Collection[str], user: User | AnonymousUser) -> set[str]:
    """Those of `task_ids` that `user` may see; one query."""
    keys = [uuid.UUID(task_id) for task_id in task_ids]
    rows = GenerationTask.objects.visible_to(user).filter(pk__in=keys)
    return {str(key) for key in rows.values_list("pk", flat=True)}


def picture_of(task_id: uuid.UUID, index: int, user: User | AnonymousUser) -> GeneratedImage:
    try:
        return GeneratedImage.objects.get(task=visible_task(task_id, user), index=index)
    except GeneratedImage.DoesNotExist as error:
        raise NotFound from error


def active_cursors(owner: User) -> list[dict[str, Any]]:
    """[{task_id, seq}] of the owner's unfinished tasks, oldest first."""
    rows = (
        GenerationTask.objects.filter(owner=owner)
        .unfinished()
        .order_by("created", "id")
        .values_list("pk", "newest_seq")
    )
    return [{"task_id": str(key), "seq": seq} for key, seq in rows]


def card_of(task: GenerationTask, *, now: datetime) -> Card:
    return cards_of([task], now)[0]


def recent_cards(owner: User, *, now: datetime, limit: int = PAGE_CARDS) -> list[Card]:
    """Unfinished tasks first, then the newest finished ones."""
    over = Case(When(status__in=UNFINISHED, then=Value(0)), default=Value(1))
    tasks = GenerationTask.objects.filter(owner=owner).order_by(over, "-created", "-id")
    return cards_of(list(tasks[:limit]), now)


def cards_of(tasks: list[GenerationTask], now: datetime) -> list[Card]:
    events: dict[uuid.UUID, list[Any]] = {task.pk: [] for task in tasks}
    rows = TaskEvent.objects.filter(task__in=tasks).order_by("task", "seq")
    for key, frame in rows.values_list("task_id", "frame"):
        events[key].append(json.loads(frame))
    places = queue_places([str(task.pk) for task in tasks if not task.is_over], now=now)
    return [
        {
            "id": str(task.pk),
            "task": task.data,
            "state": fold(empty_state(str(task.pk)), events[task.pk]),
            "queue": places.get(str(task.pk)),
        }
        for task in tasks
    ]


def event_rows(task: GenerationTask) -> list[TaskEvent]:
    return list(task.events.order_by("seq").defer("frame"))


def model_rows(*, now: datetime) -> list[ModelRow]:
    """The models that can be asked for, the default one first."""
    workers = live_workers(now)
    known = {state.name: state for state in ModelState.objects.order_by("name")}
    names = dict.fromkeys([settings.XINFERENCE_MODEL, *known])
    rows: list[ModelRow] = []
    for name in names:
        state = known.get(name)
        rows.append(
            {
                "name": name,
                "ready": state is not None and state.ready and workers > 0,
                "replicas": state.replicas if state else 0,
                "reason": reason_to_wait(state, workers=workers).value,
            }
        )
    return rows


def accepts_model(name: str) -> bool:
    """Whether a task may be submitted for it: the default model, or one that was seen served."""
    return name == settings.XINFERENCE_MODEL or ModelState.objects.filter(name=name).exists()
