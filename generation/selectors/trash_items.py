"""The trash: deleted tasks and pictures that can be restored."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

from django.db.models import F, QuerySet

from generation.exceptions import NotFound
from generation.limits import TRASH_KEPT
from generation.models import GeneratedImage, GenerationTask
from generation.models.tasks import TaskQuerySet
from generation.selectors.image_detail import key_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User

MAX_SHOWN = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class TrashItem:
    """A deleted task, or a deleted picture of a task that was kept.

    `pictures`: how many are restored with it; `picture`: the one to show, or None.
    """

    field: str
    key: str
    task: GenerationTask
    picture: GeneratedImage | None
    pictures: int
    deleted_at: datetime
    hours_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trash:
    """The newest items, last deleted first; `count`: number of all items."""

    items: list[TrashItem]
    count: int


def trash(owner: User, *, now: datetime) -> Trash:
    tasks, pictures = deleted_tasks(owner, now), deleted_pictures(owner, now)
    newest_tasks = tasks.order_by("-deleted_at").prefetch_related("images")[:MAX_SHOWN]
    newest_pictures = pictures.order_by("-deleted_at").select_related("task")[:MAX_SHOWN]
    items = [task_item(task, now) for task in newest_tasks]
    items += [picture_item(image, now) for image in newest_pictures]
    items.sort(key=lambda item: item.deleted_at, reverse=True)
    return Trash(items=items[:MAX_SHOWN], count=tasks.count() + pictures.count())


def deleted_tasks(owner: User, now: datetime) -> TaskQuerySet:
    deleted = GenerationTask.objects.filter(deleted_at__gt=now - TRASH_KEPT)
    return deleted.narrowed_to(owner.pk)


def deleted_pictures(owner: User, now: datetime) -> QuerySet[GeneratedImage]:
    """Pictures that were deleted alone; others are restored with their task."""
    deleted = GeneratedImage.objects.filter(
        task__deleted_at__isnull=True, deleted_at__gt=now - TRASH_KEPT
    )
    # an expression for the same reason as in TaskQuerySet.narrowed_to
    return deleted.alias(whose=F("task__owner") + 0).filter(whose=owner.pk)


def hours_left(deleted_at: datetime, now: datetime) -> int:
    """Hours until it is deleted for good, rounded up."""
    return ceil((deleted_at + TRASH_KEPT - now) / timedelta(hours=1))


def task_item(task: GenerationTask, now: datetime) -> TrashItem:
    assert task.deleted_at is not None
    # a picture that was deleted before its task is not restored with it
    back = [each for each in task.images.all() if each.deleted_at in (None, task.deleted_at)]
    return TrashItem(
        field="tasks",
        key=str(task.pk),
        task=task,
        picture=back[0] if back else None,
        pictures=len(back),
        deleted_at=task.deleted_at,
        hours_left=hours_left(task.deleted_at, now),
    )


def picture_item(image: GeneratedImage, now: datetime) -> TrashItem:
    assert image.deleted_at is not None
    return TrashItem(
        field="pictures",
        key=key_of(image),
        task=image.task,
        picture=image,
        pictures=1,
        deleted_at=image.deleted_at,
        hours_left=hours_left(image.deleted_at, now),
    )


def picture_in_trash(
    owner: User, task_id: uuid.UUID, index: int, *, now: datetime
) -> GeneratedImage:
    """The deleted picture; raises NotFound unless the owner can restore it."""
    rows = GeneratedImage.objects.select_related("task")
    image = rows.filter(task=task_id, task__owner=owner, index=index).first()
    if image is None:
        raise NotFound
    deleted_at = image.task.deleted_at or image.deleted_at
    if deleted_at is None or deleted_at <= now - TRASH_KEPT:
        raise NotFound
    return image
