"""What pages and sockets show of tasks; every reader asks at the row whether he may."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict

from django.conf import settings
from django.db.models import Case, Value, When

from generation.choices import UNFINISHED
from generation.exceptions import NotFound
from generation.models import GeneratedImage, GenerationTask, ModelState, TaskEvent
from generation.protocol import (
    ImageData,
    QueuePlace,
    TaskData,
    TaskState,
    empty_state,
    fold,
)
from generation.selectors.outlook import queue_places

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

PAGE_CARDS = 30
REMEMBERED = ("model", "width", "height", "n", "steps", "guidance", "negative_prompt")
"""What the composer begins with again."""


class Card(TypedDict):
    """All a page needs to draw one task and to go on from `state["seq"]`."""

    id: str
    task: TaskData
    state: TaskState
    queue: QueuePlace | None


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


def may_be_parent(task_id: uuid.UUID | None, owner: User) -> bool:
    """Whether a task of `owner` may be made from it: his own and not in the bin, or nothing."""
    own = GenerationTask.objects.filter(owner=owner).live()
    return task_id is None or own.filter(pk=task_id).exists()


def active_cursors(owner: User) -> list[dict[str, Any]]:
    """[{task_id, seq}] of the owner's unfinished tasks, oldest first."""
    rows = (
        GenerationTask.objects.filter(owner=owner)
        .unfinished()
        .order_by("created", "id")
        .values_list("pk", "newest_seq")
    )
    return [{"task_id": str(key), "seq": seq} for key, seq in rows]


def unfinished_of(owners: Collection[int]) -> list[tuple[int, str]]:
    """(owner, task id) of every unfinished task of these people; one query."""
    rows = GenerationTask.objects.filter(owner__in=owners).unfinished()
    return [(owner, str(key)) for owner, key in rows.order_by().values_list("owner", "pk")]


def tasks_to_follow(user: User, cursors: Mapping[str, int]) -> list[GenerationTask]:
    """What somebody who knows these events has to be told of, oldest first.

    All his own unfinished tasks; of those he names and may see, what is unfinished or has more.
    """
    named = GenerationTask.objects.visible_to(user).filter(pk__in=readable_keys(cursors))
    own = GenerationTask.objects.filter(owner=user).unfinished()
    tasks = {task.pk: task for task in [*own, *named]}
    return sorted(
        (
            task
            for task in tasks.values()
            if not task.is_over or task.newest_seq > cursors.get(str(task.pk), 0)
        ),
        key=lambda task: (task.created, task.pk),
    )


def active_among(tasks: Iterable[GenerationTask], owner: User) -> list[dict[str, Any]]:
    """`active_cursors` of tasks that were read already."""
    return [
        {"task_id": str(task.pk), "seq": task.newest_seq}
        for task in tasks
        if task.owner_id == owner.pk and not task.is_over
    ]


def seqs_of_visible(task_ids: Collection[str], user: User) -> dict[str, int]:
    """The newest seq of each of `task_ids` that `user` may see; one query."""
    rows = GenerationTask.objects.visible_to(user).filter(pk__in=readable_keys(task_ids))
    return {str(key): seq for key, seq in rows.values_list("pk", "newest_seq")}


def readable_keys(task_ids: Iterable[str]) -> list[uuid.UUID]:
    """Those that are ids at all, written as we write them."""
    keys = []
    for task_id in task_ids:
        try:
            key = uuid.UUID(task_id)
        except ValueError:
            continue
        if str(key) == task_id:
            keys.append(key)
    return keys


def card_of(task: GenerationTask, *, now: datetime) -> Card:
    return cards_of([task], now)[0]


def recent_cards(owner: User, *, now: datetime, limit: int = PAGE_CARDS) -> list[Card]:
    """Unfinished tasks first, then the newest finished ones."""
    over = Case(When(status__in=UNFINISHED, then=Value(0)), default=Value(1))
    tasks = GenerationTask.objects.filter(owner=owner).live().order_by(over, "-created", "-id")
    return cards_of(list(tasks[:limit]), now)


def cards_of(tasks: list[GenerationTask], now: datetime) -> list[Card]:
    events: dict[uuid.UUID, list[Any]] = {task.pk: [] for task in tasks}
    rows = TaskEvent.objects.filter(task__in=tasks).order_by("task", "seq")
    for key, frame in rows.values_list("task_id", "frame"):
        events[key].append(json.loads(frame))
    places = queue_places([str(task.pk) for task in tasks if not task.is_over], now=now)
    favourites = favourites_of(tasks)
    return [
        {
            "id": str(task.pk),
            "task": task.data,
            "state": with_what_was_kept(
                fold(empty_state(str(task.pk)), events[task.pk]), favourites[task.pk]
            ),
            "queue": places.get(str(task.pk)),
        }
        for task in tasks
    ]


def favourites_of(tasks: list[GenerationTask]) -> dict[uuid.UUID, dict[int, bool]]:
    """For each task its pictures that are not in the bin: index → is it a favourite."""
    kept: dict[uuid.UUID, dict[int, bool]] = {task.pk: {} for task in tasks}
    rows = GeneratedImage.objects.filter(task__in=tasks, deleted_at__isnull=True)
    for key, index, favourite in rows.order_by().values_list("task_id", "index", "favourite"):
        kept[key][index] = favourite
    return kept


def with_what_was_kept(state: TaskState, kept: dict[int, bool]) -> TaskState:
    """The log tells of every picture that ever was; a card shows those that are there."""
    pictures: list[ImageData] = [
        {**image, "favourite": kept[image["index"]]}
        for image in state["images"]
        if image["index"] in kept
    ]
    return {**state, "images": pictures}


def last_settings(owner: User) -> dict[str, Any]:
    """What the person asked for last, without prompt and seed; empty before the first task."""
    rows = GenerationTask.objects.filter(owner=owner).live().newest_first()
    return rows.values(*REMEMBERED).first() or {}


def event_rows(task: GenerationTask) -> list[TaskEvent]:
    return list(task.events.order_by("seq").defer("frame"))


def accepts_model(name: str) -> bool:
    """Whether a task may be submitted for it: the default model, or one that was seen served."""
    return name == settings.XINFERENCE_MODEL or ModelState.objects.filter(name=name).exists()
