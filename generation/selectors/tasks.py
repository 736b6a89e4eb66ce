"""What pages and sockets show of tasks; every reader asks at the row whether he may."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypedDict

from django.conf import settings
from django.db import connection
from django.db.models import F

from generation import sql
from generation.choices import UNFINISHED, TaskStatus
from generation.exceptions import NotFound
from generation.identifiers import parse_uuid
from generation.models import GeneratedImage, GenerationTask, ModelState
from generation.protocol import (
    EventFrame,
    ImageData,
    QueuePosition,
    TaskData,
    TaskState,
    empty_state,
    fold_shown,
)
from generation.selectors.events import cancel_stops, is_long_log, shown_logs
from generation.selectors.queue.forecast import queue_positions

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

PAGE_CARDS = 30
REMEMBERED = ("model", "width", "height", "steps", "guidance", "negative_prompt")
"""What the composer begins with again."""

COMMIT_DELAY = timedelta(seconds=60)
"""What was told up to some moment may lack what was submitted so long before: a commit takes its
time, and a stream that is held back is noticed after 40 s."""

MAX_MISSED = 100
"""Ended tasks that are told to somebody who comes back; a page shows fewer."""


class Card(TypedDict):
    """All a page needs to draw one task and to go on from `state["seq"]`."""

    id: str
    task: TaskData
    state: TaskState
    queue: QueuePosition | None


def visible_task(task_id: str | uuid.UUID, user: User | AnonymousUser) -> GenerationTask:
    """The task, if it exists and `user` may see it; NotFound otherwise, the same for both."""
    key = task_id if isinstance(task_id, uuid.UUID) else parse_uuid(task_id)
    task = None if key is None else task_of(key)
    if task is None or not task.is_visible_to(user):
        raise NotFound
    return task


def task_of(key: uuid.UUID) -> GenerationTask | None:
    prepared = GenerationTask._meta.pk.get_db_prep_value(key, connection)
    return next(iter(GenerationTask.objects.raw(sql.TASK_BY_ID, [prepared])), None)


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
    with connection.cursor() as cursor:
        cursor.execute(sql.UNFINISHED_OF_OWNER, [owner.pk, *sorted(UNFINISHED)])
        found = cursor.fetchall()
    return [{"task_id": str(uuid.UUID(str(key))), "seq": seq} for _at, key, seq in sorted(found)]


def tasks_to_find(owners: Collection[int], *, since: datetime) -> dict[int, set[str]]:
    """By owner the tasks of which nobody may have told: unfinished, or submitted since then."""
    found: dict[int, set[str]] = {owner: set() for owner in owners}
    theirs = GenerationTask.objects.filter(owner__in=owners).order_by()
    for rows in (theirs.unfinished(), theirs.live().filter(created__gte=since - COMMIT_DELAY)):
        for owner, key in rows.values_list("owner", "pk"):
            found[owner].add(str(key))
    return found


def tasks_to_follow(
    user: User, cursors: Mapping[str, int], *, since: datetime | None = None
) -> list[GenerationTask]:
    """What somebody who knows these events has to be told of, oldest first.

    All his own unfinished tasks; of those he names and may see, what is unfinished or has more;
    and if he was told of everything at `since`, what he submitted elsewhere after that.
    """
    mine = GenerationTask.objects.filter(owner=user)
    tasks = {task.pk: task for task in mine.unfinished().order_by()}
    if since is not None:
        newest = mine.live().filter(created__gte=since - COMMIT_DELAY).newest_first()
        tasks |= {task.pk: task for task in newest[:MAX_MISSED]}
    named = set(readable_keys(cursors)) - tasks.keys()
    if named:
        rows = GenerationTask.objects.visible_to(user).filter(pk__in=named)
        tasks |= {task.pk: task for task in rows}
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
    found = ((parse_uuid(task_id), task_id) for task_id in task_ids)
    return [key for key, written in found if key is not None and str(key) == written]


def card_of(task: GenerationTask, *, now: datetime, log: list[EventFrame] | None = None) -> Card:
    """`log`: its shown events, if they were read already."""
    return cards_of([task], now, None if log is None else {task.pk: log})[0]


def recent_cards(owner: User, *, now: datetime, limit: int = PAGE_CARDS) -> list[Card]:
    """What runs, then the queue in its order, then the newest finished tasks."""
    mine = GenerationTask.objects.filter(owner=owner).live()
    # sorted here: to get them in order SQLite would walk through all that he ever sent
    unfinished = sorted(mine.unfinished().order_by(), key=age)
    running = [task for task in reversed(unfinished) if task.status == TaskStatus.RUNNING]
    queued = [task for task in unfinished if task.status == TaskStatus.QUEUED]
    unfinished = [*running, *queued][:limit]
    over = mine.exclude(status__in=UNFINISHED).newest_first()[: limit - len(unfinished)]
    # one that ended between the two looks is in both
    return cards_of([*unfinished, *(task for task in over if task not in unfinished)], now)


def age(task: GenerationTask) -> tuple[datetime, uuid.UUID]:
    return task.created, task.pk


def cards_of(
    tasks: list[GenerationTask],
    now: datetime,
    logs: dict[uuid.UUID, list[EventFrame]] | None = None,
) -> list[Card]:
    logs = logs or shown_logs(tasks)
    places = queue_positions([str(task.pk) for task in tasks if not task.is_over], now=now)
    favourites = favourites_of(tasks)
    return [
        {
            "id": str(task.pk),
            "task": task.data,
            "state": with_kept_images(state_shown(task, logs[task.pk]), favourites[task.pk]),
            "queue": places.get(str(task.pk)),
        }
        for task in tasks
    ]


def state_shown(task: GenerationTask, log: list[EventFrame]) -> TaskState:
    """The fold of the log; of a long one, what the events left out had said is in the rows."""
    state = fold_shown(empty_state(str(task.pk)), log)
    if not is_long_log(task):
        return state
    state["images"] = [image.data for image in task.images.order_by("index")]
    state["seed"] = task.seed if state["seed"] is None else state["seed"]
    if task.cancel_requested_at is not None and state["cancel_requested"] is None:
        state["cancel_requested"] = cancel_stops(task.pk)
    return state


def favourites_of(tasks: list[GenerationTask]) -> dict[uuid.UUID, dict[int, bool]]:
    """For each task its pictures that are not in the bin: index → is it a favourite."""
    kept: dict[uuid.UUID, dict[int, bool]] = {task.pk: {} for task in tasks}
    rows = GeneratedImage.objects.filter(task__in=tasks, deleted_at__isnull=True)
    for key, index, favourite in rows.order_by().values_list("task_id", "index", "favourite"):
        kept[key][index] = favourite
    return kept


def with_kept_images(state: TaskState, kept: dict[int, bool]) -> TaskState:
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
    return rows.values(*REMEMBERED, n=F("image_count")).first() or {}


def any_task(owner: User | None = None) -> bool:
    """Whether there is a task, also a deleted one: of `owner`, or of anybody."""
    tasks = GenerationTask.objects.order_by()
    return (tasks if owner is None else tasks.filter(owner=owner)).exists()


def accepts_model(name: str) -> bool:
    """Whether a task may be submitted for it: the default model, or one that was seen served."""
    return name == settings.XINFERENCE_MODEL or ModelState.objects.filter(name=name).exists()
