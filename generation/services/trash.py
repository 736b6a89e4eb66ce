"""The trash: moving into it, restoring from it, emptying it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from generation.exceptions import NotFound, TransitionRefused
from generation.models import GeneratedImage, GenerationTask, ShareLink
from generation.selectors import PictureKey
from generation.selectors.retention_due import due_in_trash, due_pictures, due_tasks
from generation.selectors.retention_rules import EXPIRED
from generation.selectors.trash_items import deleted_pictures, deleted_tasks, restorable_since
from generation.services.charges import add_deleted
from generation.services.collection_changes import publish_change
from generation.services.task_deletion import delete_tasks, remove_files

if TYPE_CHECKING:
    from django.contrib.auth.models import User

TRASH_BATCH = 25
"""Tasks or images deleted at once; on SQLite other writers wait for each batch."""


def move_to_trash(
    *,
    owner: User,
    pictures: Collection[PictureKey],
    tasks: Collection[uuid.UUID],
    now: datetime,
) -> int:
    """Move tasks and images to the trash; returns how many were moved.

    A task goes with its last image, and its share links are deleted. What is in the trash already
    keeps its time. Raises NotFound for what the owner does not have, TransitionRefused for an
    unfinished task; then nothing is written.
    """
    with transaction.atomic():
        rows = locked_tasks(owner, {task for task, _index in pictures}.union(tasks))
        if not all(task.is_over for task in rows.values()):
            raise TransitionRefused
        # an image of a task in the trash is there with it and is restored with it
        named = [
            image.pk
            for image in pictures_in(rows, pictures)
            if rows[image.task_id].deleted_at is None
        ]
        gone = GeneratedImage.objects.filter(pk__in=named, deleted_at__isnull=True)
        deleted = gone.update(deleted_at=now)
        live = GenerationTask.objects.live()
        deleted += live.filter(pk__in=tasks).update(deleted_at=now)
        left = GeneratedImage.objects.filter(task=OuterRef("pk"), deleted_at__isnull=True)
        emptied = live.filter(~Exists(left), pk__in={task for task, _index in pictures})
        emptied.update(deleted_at=now)
        # permanent: a restored task must not be public again
        ShareLink.objects.filter(task__in=list(rows), task__deleted_at__isnull=False).delete()
        if deleted:
            publish_change(owner, "deleted", pictures=pictures, tasks=tasks)
    return deleted


def restore(
    *,
    owner: User,
    pictures: Collection[PictureKey],
    tasks: Collection[uuid.UUID],
    now: datetime,
) -> int:
    """Restore tasks and images from the trash; returns how many were restored.

    An image restores its task too; a task restores the images that were deleted with it. Raises
    NotFound, with nothing written, for what the owner does not have or what has expired.
    """
    with transaction.atomic():
        rows = locked_tasks(owner, {task for task, _index in pictures}.union(tasks))
        found = pictures_in(rows, pictures)
        gone = {task.pk for task in rows.values() if task.deleted_at is not None}
        back = [each.pk for each in found if each.deleted_at is not None or each.task_id in gone]
        since = [task.deleted_at for task in rows.values()] + [each.deleted_at for each in found]
        gone_before = restorable_since(owner.pk, now)
        if any(moment is not None and moment <= gone_before for moment in since):
            raise NotFound
        together = Q(task__in=tasks, task__deleted_at=F("deleted_at"))
        keys = GeneratedImage.objects.filter(together).values_list("pk", flat=True)
        GeneratedImage.objects.filter(pk__in=[*keys, *back]).update(
            deleted_at=None, restored_at=now
        )
        GenerationTask.objects.filter(pk__in=gone).update(deleted_at=None)
        if gone or back:
            publish_change(owner, "restored", pictures=pictures, tasks=tasks)
    return len(back) + len(gone.intersection(tasks))


def delete_permanently(
    *,
    owner: User,
    pictures: Collection[PictureKey],
    tasks: Collection[uuid.UUID],
    now: datetime,
) -> int:
    """Expire tasks and images in the trash; returns their number.

    The next cleanup deletes rows and files. Raises NotFound, with nothing written, for what is not
    in the owner's trash.
    """
    with transaction.atomic():
        locked_tasks(owner, {task for task, _index in pictures}.union(tasks))
        since = restorable_since(owner.pk, now)
        due_tasks = deleted_tasks(owner, since).filter(pk__in=tasks)
        due_pictures = deleted_pictures(owner, since).filter(task__in={key[0] for key in pictures})
        found = {(image.task_id, image.index): image.pk for image in due_pictures}
        keys = [found[key] for key in set(pictures) if key in found]
        if due_tasks.count() != len(set(tasks)) or len(keys) != len(set(pictures)):
            raise NotFound
        due_tasks.update(deleted_at=EXPIRED)
        GeneratedImage.objects.filter(pk__in=keys).update(deleted_at=EXPIRED)
        publish_change(owner, "deleted")
    return len(keys) + len(set(tasks))


def empty_trash(*, owner: User, now: datetime) -> int:
    """Expire everything in the owner's trash; returns the number of tasks and images."""
    with transaction.atomic():
        since = restorable_since(owner.pk, now)
        # images first: they are found only while their tasks are in the trash
        number = deleted_pictures(owner, since).update(deleted_at=EXPIRED)
        number += deleted_tasks(owner, since).update(deleted_at=EXPIRED)
        if number:
            publish_change(owner, "deleted")
    return number


def locked_tasks(owner: User, keys: Collection[uuid.UUID]) -> dict[uuid.UUID, GenerationTask]:
    """Read and lock tasks of the owner, in the trash or not; raises NotFound if one is missing.

    They are locked in one order, so that two transactions do not deadlock.
    """
    rows = GenerationTask.objects.select_for_update().owned_among(owner.pk, keys)
    found = {task.pk: task for task in rows.order_by("pk")}
    if len(found) != len(keys):
        raise NotFound
    return found


def pictures_in(
    tasks: dict[uuid.UUID, GenerationTask], keys: Iterable[PictureKey]
) -> list[GeneratedImage]:
    rows = GeneratedImage.objects.filter(task__in=list(tasks))
    found = {(image.task_id, image.index): image for image in rows}
    try:
        return [found[key] for key in dict.fromkeys(keys)]
    except KeyError as error:
        raise NotFound from error


def purge_trash(*, now: datetime) -> Iterator[int]:
    """Delete what has been in the trash long enough: rows first, then files.

    Yields the size of each batch of tasks or images after it was deleted.
    """
    due = due_in_trash(now)
    for before, keys in due_tasks(due, now):
        for batch in batches(keys):
            # one that was restored meanwhile stays
            tasks = GenerationTask.objects.filter(slot__isnull=True, deleted_at__lte=before)
            if deleted := delete_tasks(tasks.filter(pk__in=batch), TRASH_BATCH):
                yield deleted
    for before, keys in due_pictures(due, now):
        for batch in batches(keys):
            pictures = GeneratedImage.objects.filter(deleted_at__lte=before, pk__in=batch)
            if deleted := delete_pictures(pictures):
                yield deleted


def batches(keys: list[Any]) -> Iterator[list[Any]]:
    for first in range(0, len(keys), TRASH_BATCH):
        yield keys[first : first + TRASH_BATCH]


def delete_pictures(due: QuerySet[GeneratedImage]) -> int:
    with transaction.atomic():
        pictures = list(due.order_by("pk").select_for_update(of=("self",)))
        rows = GeneratedImage.objects.filter(pk__in=[image.pk for image in pictures])
        gone = list(rows.values_list("task__owner", "bytes"))
        rows.delete()
        add_deleted(gone)
        names = [name for image in pictures for name in (image.file, image.thumbnail) if name]
        transaction.on_commit(partial(remove_files, names))
    return len(pictures)
