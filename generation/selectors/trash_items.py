"""The trash: deleted tasks and pictures that can be restored."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

from django.db.models import F, QuerySet

from generation.choices import RetentionKind
from generation.exceptions import NotFound
from generation.models import GeneratedImage, GenerationTask
from generation.models.tasks import TaskQuerySet
from generation.selectors.image_detail import key_of
from generation.selectors.retention_rules import days_kept_of, trash_before

if TYPE_CHECKING:
    from django.contrib.auth.models import User

MAX_SHOWN = 120
HOURS_SHOWN = 48
"""Time left is shown in hours up to here, then in days."""


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
    hours_left: int | None
    """Until it is deleted for good, rounded up; None: it stays."""

    @property
    def days_left(self) -> int | None:
        """Rounded up; None for ever, and if hours say more."""
        if self.hours_left is None or self.hours_left <= HOURS_SHOWN:
            return None
        return ceil(self.hours_left / 24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trash:
    """The newest items, last deleted first; `count`: number of all items.

    `days`: how long items stay, None for ever. `pictures_kept`: days after which pictures that are
    no favourites come here by themselves, None if they do not.
    """

    items: list[TrashItem]
    count: int
    days: int | None
    pictures_kept: int | None


def trash(owner: User, *, now: datetime) -> Trash:
    kept = days_kept_of(owner.pk)
    days = kept[RetentionKind.TRASH]
    since = trash_before(days, now)
    tasks, pictures = deleted_tasks(owner, since), deleted_pictures(owner, since)
    newest_tasks = tasks.order_by("-deleted_at", "-pk").prefetch_related("images")[:MAX_SHOWN]
    newest_pictures = pictures.order_by("-deleted_at", "-pk").select_related("task")[:MAX_SHOWN]
    items = [task_item(task, days, now) for task in newest_tasks]
    items += [picture_item(image, days, now) for image in newest_pictures]
    items.sort(key=lambda item: item.deleted_at, reverse=True)
    count = tasks.count() + pictures.count()
    return Trash(
        items=items[:MAX_SHOWN],
        count=count,
        days=days,
        pictures_kept=kept[RetentionKind.PICTURES],
    )


def restorable_since(owner_id: int, now: datetime) -> datetime:
    """What the owner deleted later can still be restored."""
    return trash_before(days_kept_of(owner_id)[RetentionKind.TRASH], now)


def deleted_tasks(owner: User, since: datetime) -> TaskQuerySet:
    """Those that were deleted after `since`."""
    deleted = GenerationTask.objects.filter(deleted_at__gt=since)
    return deleted.narrowed_to(owner.pk)


def deleted_pictures(owner: User, since: datetime) -> QuerySet[GeneratedImage]:
    """Pictures that were deleted alone after `since`; others are restored with their task."""
    deleted = GeneratedImage.objects.filter(task__deleted_at__isnull=True, deleted_at__gt=since)
    # an expression for the same reason as in TaskQuerySet.narrowed_to
    return deleted.alias(whose=F("task__owner") + 0).filter(whose=owner.pk)


def hours_left(deleted_at: datetime, days: int | None, now: datetime) -> int | None:
    if days is None:
        return None
    return ceil((deleted_at + timedelta(days=days) - now) / timedelta(hours=1))


def task_item(task: GenerationTask, days: int | None, now: datetime) -> TrashItem:
    assert task.deleted_at is not None
    # a picture that was deleted before its task is not restored with it
    back = [each for each in task.images.all() if each.deleted_at in (None, task.deleted_at)]
    return TrashItem(
        field="tasks",
        key=str(task.pk),
        task=task,
        picture=next((each for each in back if not each.withheld), back[0] if back else None),
        pictures=len(back),
        deleted_at=task.deleted_at,
        hours_left=hours_left(task.deleted_at, days, now),
    )


def picture_item(image: GeneratedImage, days: int | None, now: datetime) -> TrashItem:
    assert image.deleted_at is not None
    return TrashItem(
        field="pictures",
        key=key_of(image),
        task=image.task,
        picture=image,
        pictures=1,
        deleted_at=image.deleted_at,
        hours_left=hours_left(image.deleted_at, days, now),
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
    if deleted_at is None or deleted_at <= restorable_since(owner.pk, now):
        raise NotFound
    return image
