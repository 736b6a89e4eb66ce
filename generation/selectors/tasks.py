"""Tasks for pages and sockets. Access is checked at the row by every function."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from django.conf import settings
from django.db import connection
from django.db.models import F, TextField

from generation import sql
from generation.choices import UNFINISHED, TaskStatus
from generation.compiled_query import CompiledQuery, Parameter
from generation.exceptions import NotFound
from generation.identifiers import parse_uuid
from generation.models import GeneratedImage, GenerationTask, ModelState
from generation.protocol import (
    EventFrame,
    ImageData,
    QueuePosition,
    TaskData,
    TaskState,
    WithheldData,
    empty_state,
    fold_shown,
)
from generation.selectors.events import cancel_details, is_long_log, shown_logs
from generation.selectors.queue.forecast import queue_positions
from generation.selectors.withheld import notices_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

PAGE_CARDS = 30
REMEMBERED = ("model", "width", "height", "steps", "guidance", "negative_prompt")
"""Settings with which the composer begins."""

COMMIT_DELAY = timedelta(seconds=60)
"""A client that is up to date at some time may lack tasks submitted this long before: commits take
time, and a buffered stream is detected after 40 s."""

MAX_MISSED = 100
"""Ended tasks that a returning client receives; a page shows fewer."""


class KeptImage(NamedTuple):
    """Columns of a picture that change after it was stored."""

    favourite: bool
    withheld: bool


class Card(TypedDict):
    """All a page needs to draw one task and to continue from `state["seq"]`."""

    id: str
    task: TaskData
    state: TaskState
    queue: QueuePosition | None


def visible_task(task_id: str | uuid.UUID, user: User | AnonymousUser) -> GenerationTask:
    """The task; raises NotFound if it does not exist or `user` may not see it."""
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
    rows = GenerationTask.objects.visible_to(user, among=keys)
    return {str(key) for key in rows.values_list("pk", flat=True)}


def may_be_parent(task_id: uuid.UUID | None, owner: User) -> bool:
    """Whether it is None, or a task of `owner` outside the trash."""
    own = GenerationTask.objects.filter(owner=owner).live()
    return task_id is None or own.filter(pk=task_id).exists()


def active_cursors(owner: User) -> list[dict[str, Any]]:
    """[{task_id, seq}] of the owner's unfinished tasks, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(sql.UNFINISHED_OF_OWNER, [owner.pk, *sorted(UNFINISHED)])
        found = cursor.fetchall()
    return [{"task_id": str(uuid.UUID(str(key))), "seq": seq} for _at, key, seq in sorted(found)]


def tasks_to_find(owners: Collection[int], *, since: datetime) -> dict[int, set[str]]:
    """Owner → tasks that a client may not know: unfinished, or submitted since `since`."""
    found: dict[int, set[str]] = {owner: set() for owner in owners}
    theirs = GenerationTask.objects.filter(owner__in=owners).order_by()
    for rows in (theirs.unfinished(), theirs.live().filter(created__gte=since - COMMIT_DELAY)):
        for owner, key in rows.values_list("owner", "pk"):
            found[owner].add(str(key))
    return found


def tasks_to_follow(
    user: User, cursors: Mapping[str, int], *, since: datetime | None = None
) -> list[GenerationTask]:
    """Tasks with news for a client that has these `cursors`, oldest first.

    All unfinished tasks of the user; of the visible ones in `cursors` those that are unfinished
    or have newer events; with `since`, also tasks that the user submitted after it.
    """
    owned = GenerationTask.objects.filter(owner=user)
    tasks = {task.pk: task for task in owned.unfinished().order_by()}
    if since is not None:
        newest = owned.live().filter(created__gte=since - COMMIT_DELAY).newest_first()
        tasks |= {task.pk: task for task in newest[:MAX_MISSED]}
    named = set(readable_keys(cursors)) - tasks.keys()
    if named:
        rows = GenerationTask.objects.visible_to(user, among=named)
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
    """`active_cursors` from loaded tasks."""
    return [
        {"task_id": str(task.pk), "seq": task.newest_seq}
        for task in tasks
        if task.owner_id == owner.pk and not task.is_over
    ]


def seqs_of_visible(task_ids: Collection[str], user: User) -> dict[str, int]:
    """The newest seq of each of `task_ids` that `user` may see; one query."""
    rows = GenerationTask.objects.visible_to(user, among=readable_keys(task_ids))
    return {str(key): seq for key, seq in rows.values_list("pk", "newest_seq")}


def readable_keys(task_ids: Iterable[str]) -> list[uuid.UUID]:
    """The UUIDs among `task_ids` in canonical form."""
    found = ((parse_uuid(task_id), task_id) for task_id in task_ids)
    return [key for key, written in found if key is not None and str(key) == written]


def card_of(task: GenerationTask, *, now: datetime, log: list[EventFrame] | None = None) -> Card:
    """The card of one task; `log`: its shown events, if loaded."""
    return cards_of([task], now, None if log is None else {task.pk: log})[0]


def recent_cards(owner: User, *, now: datetime, limit: int = PAGE_CARDS) -> list[Card]:
    """Running tasks, then the queue in order, then the newest ended tasks."""
    owned = GenerationTask.objects.filter(owner=owner).live()
    # sorted here: for a sorted query SQLite reads all tasks of the owner
    unfinished = sorted(owned.unfinished().order_by(), key=age)
    running = [task for task in reversed(unfinished) if task.status == TaskStatus.RUNNING]
    queued = [task for task in unfinished if task.status == TaskStatus.QUEUED]
    unfinished = [*running, *queued][:limit]
    over = owned.exclude(status__in=UNFINISHED).newest_first()[: limit - len(unfinished)]
    # a task that ended between the two queries is in both
    return cards_of([*unfinished, *(task for task in over if task not in unfinished)], now)


def age(task: GenerationTask) -> tuple[datetime, uuid.UUID]:
    return task.created, task.pk


def cards_of(
    tasks: list[GenerationTask],
    now: datetime,
    logs: dict[uuid.UUID, list[EventFrame]] | None = None,
) -> list[Card]:
    logs = logs or shown_logs(tasks)
    positions = queue_positions([str(task.pk) for task in tasks if not task.is_over], now=now)
    kept = kept_images(tasks)
    notices = notices_of(tasks) if any(withheld_in(kept).values()) else {}
    return [
        {
            "id": str(task.pk),
            "task": task.data,
            "state": with_kept_images(
                state_shown(task, logs[task.pk]), kept[task.pk], notices.get(task.pk, {})
            ),
            "queue": positions.get(str(task.pk)),
        }
        for task in tasks
    ]


def state_shown(task: GenerationTask, log: list[EventFrame]) -> TaskState:
    """The fold of the log; the rows supply what events said that were left out or deleted."""
    state = fold_shown(empty_state(str(task.pk)), log)
    if task.log_pruned_at is not None:
        state["seed"] = task.seed
    if not is_long_log(task):
        return state
    state["images"] = [image.data for image in task.images.order_by("index")]
    state["seed"] = task.seed if state["seed"] is None else state["seed"]
    if task.cancel_requested_at is not None and state["cancel_requested"] is None:
        details = cancel_details(task.pk) or {}
        state["cancel_requested"] = details.get("stops")
        state["cancel_reason"] = details.get("reason")
    return state


def kept_images(tasks: list[GenerationTask]) -> dict[uuid.UUID, dict[int, KeptImage]]:
    """Task → index of a picture outside the trash → what its row says."""
    kept: dict[uuid.UUID, dict[int, KeptImage]] = {task.pk: {} for task in tasks}
    rows = GeneratedImage.objects.live().filter(task__in=tasks).order_by()
    for key, index, *marks in rows.values_list("task_id", "index", *KeptImage._fields):
        kept[key][index] = KeptImage(*marks)
    return kept


def withheld_in(kept: dict[uuid.UUID, dict[int, KeptImage]]) -> dict[uuid.UUID, list[int]]:
    """Task → indexes of the withheld ones among its `kept` pictures."""
    return {
        key: sorted(index for index, image in images.items() if image.withheld)
        for key, images in kept.items()
    }


def with_kept_images(
    state: TaskState, kept: dict[int, KeptImage], notices: dict[int, WithheldData]
) -> TaskState:
    """The state with the kept pictures only, as they are now.

    The log names all that were ever stored, and which were withheld then.
    """
    pictures: list[ImageData] = []
    for image in state["images"]:
        index = image["index"]
        if index not in kept:
            continue
        shown: ImageData = {**image, "favourite": kept[index].favourite}
        shown.pop("withheld", None)
        if index in notices:
            shown |= {"withheld": True, "notice": notices[index]}
        pictures.append(shown)
    return {**state, "images": pictures}


def last_settings(owner: User) -> dict[str, Any]:
    """Settings of the user's last task without prompt and seed; empty before the first."""
    rows = GenerationTask.objects.filter(owner=owner).live().newest_first()
    return rows.values(*REMEMBERED, n=F("image_count")).first() or {}


def any_task(owner: User | None = None) -> bool:
    """Whether `owner`, or any user, has a task; tasks in the trash count."""
    tasks = GenerationTask.objects.order_by()
    return (tasks if owner is None else tasks.filter(owner=owner)).exists()


SERVED = CompiledQuery(
    ModelState.objects.filter(name=Parameter("name", TextField())).values_list("pk")
)


def accepts_model(name: str) -> bool:
    """Whether tasks may be submitted for it: the default model, or a model that was served."""
    return name == settings.XINFERENCE_MODEL or bool(SERVED.rows(name=name))
