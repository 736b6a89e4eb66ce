"""Deletes what is over: old tasks, orphaned files, expired sessions."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from django.utils.module_loading import import_string

from accounts.log_escaping import log_line
from generation import images
from generation.choices import TERMINAL
from generation.identifiers import parse_uuid
from generation.log_lines import cause_of
from generation.models import GeneratedImage, GenerationTask

logger = logging.getLogger(__name__)

BATCH = 100
"""Tasks per transaction: short enough that nobody waits for it."""

ORPHAN_AGE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneSummary:
    """What would go; `bytes` of pictures, thumbnails not counted."""

    tasks: int
    images: int
    bytes: int


def ended_before(moment: datetime) -> QuerySet[GenerationTask]:
    return GenerationTask.objects.filter(
        status__in=sorted(TERMINAL), finished_at__lt=moment, slot__isnull=True
    )


def prune_summary(*, before: datetime) -> PruneSummary:
    tasks = ended_before(before)
    pictures = GeneratedImage.objects.filter(task__in=tasks).aggregate(
        count=Count("pk"), size=Sum("bytes")
    )
    return PruneSummary(
        tasks=tasks.count(), images=pictures["count"] or 0, bytes=pictures["size"] or 0
    )


def prune_batch(*, before: datetime) -> int:
    """Delete up to BATCH tasks with their events, pictures and files; how many there were."""
    return delete_tasks(ended_before(before).order_by("finished_at"), BATCH)


def delete_tasks(due: QuerySet[GenerationTask], most: int) -> int:
    """Delete the first `most` of these tasks with all of theirs, then their files; how many."""
    found = list(due.values_list("pk", flat=True)[:most])
    if not found:
        return 0
    # who dies after the commit leaves files of which no row tells any more; a note in the folder
    # of a task that is taken back in this moment is swept like any file without a row
    mark_for_deletion(found)
    with transaction.atomic():
        still_due = due.filter(pk__in=found).order_by("pk").select_for_update(of=("self",))
        keys = list(still_due.values_list("pk", flat=True))
        GenerationTask.objects.filter(pk__in=keys).delete()
        transaction.on_commit(partial(remove_folders, keys))
    return len(keys)


def mark_for_deletion(keys: Iterable[uuid.UUID]) -> None:
    for key in keys:
        try:
            images.mark_for_deletion(str(key))
        except OSError as error:
            # a full disk is just what prune is called for
            logger.warning("%s", log_line("folder_not_marked", task=key, cause=cause_of(error)))


def remove_folders(keys: Iterable[uuid.UUID]) -> None:
    for key in keys:
        try:
            images.remove_folder(str(key))
        except OSError as error:
            # its note tells the sweep to try again
            logger.warning("%s", log_line("file_left_behind", task=key, cause=cause_of(error)))


def remove_orphaned_files(*, now: datetime) -> int:
    """Remove files without a row that are older than an hour; how many there were.

    A file is written before its row, so a worker that dies in between leaves one behind; a
    younger file may still get its row. Only folders of tasks that exist here, and those that
    prune could not finish, are looked at: a DATA_DIR that is used with another database for once
    must not lose its pictures.
    """
    removed = 0
    for folder in images.folders():
        try:
            removed += remove_orphans_in(folder, now - ORPHAN_AGE)
        except OSError as error:
            # the next folder may be removed all the same
            logger.warning("%s", log_line("folder_not_swept", folder=folder, cause=cause_of(error)))
    return removed


def remove_orphans_in(folder: str, moment: datetime) -> int:
    old = images.files_before(folder, moment)
    known = known_files(folder) if old else set()
    if known is None:
        marked = f"{folder}/{images.DELETION_MARK}" in old
        return images.remove_folder(folder) if marked else 0
    orphans = [name for name in old if name not in known]
    for name in orphans:
        images.remove(name)
    return len(orphans)


def known_files(folder: str) -> set[str] | None:
    """The names of rows below `folder`, which is called like its task; None if there is no such."""
    key = parse_uuid(folder)
    if key is None or not GenerationTask.objects.filter(pk=key).exists():
        return None
    rows = GeneratedImage.objects.filter(task=key).values_list("file", "thumbnail")
    return {name for pair in rows for name in pair}


def delete_expired_sessions() -> None:
    """Delete sessions whose time is over: a browser does not send them any more."""
    import_string(f"{settings.SESSION_ENGINE}.SessionStore").clear_expired()
