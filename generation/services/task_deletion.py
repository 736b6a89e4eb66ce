"""Deletes old tasks with their files, and expired sessions."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from django.utils.module_loading import import_string

from accounts.log_format import log_line
from generation import images
from generation.choices import TERMINAL
from generation.models import GeneratedImage, GenerationTask
from generation.outages import cause_of
from generation.services.charges import add_deleted

logger = logging.getLogger(__name__)

BATCH = 100
"""Tasks per transaction, few enough that no other writer waits long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneSummary:
    """What would be deleted; `bytes` of images without their thumbnails."""

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
    """Delete up to BATCH tasks with their events, images and files; returns their number."""
    return delete_tasks(ended_before(before).order_by("finished_at"), BATCH)


def delete_tasks(due: QuerySet[GenerationTask], most: int) -> int:
    """Delete the first `most` of these tasks, then their files; returns their number."""
    found = list(due.values_list("pk", flat=True)[:most])
    if not found:
        return 0
    # the mark lets the cleanup find the files if this process dies after the commit; the mark of
    # a task that is restored in this moment is removed like any file without a row
    mark_for_deletion(found)
    with transaction.atomic():
        still_due = due.filter(pk__in=found).order_by("pk").select_for_update(of=("self",))
        keys = list(still_due.values_list("pk", flat=True))
        sizes = GeneratedImage.objects.filter(task__in=keys).values_list("task__owner", "bytes")
        gone = list(sizes)
        GenerationTask.objects.filter(pk__in=keys).delete()
        add_deleted(gone)
        transaction.on_commit(partial(remove_folders, keys))
    return len(keys)


def mark_for_deletion(keys: Iterable[uuid.UUID]) -> None:
    for key in keys:
        try:
            images.mark_for_deletion(str(key))
        except OSError as error:
            # a full disk must not prevent pruning
            logger.warning("%s", log_line("folder_not_marked", task=key, cause=cause_of(error)))


def remove_folders(keys: Iterable[uuid.UUID]) -> None:
    for key in keys:
        try:
            images.remove_folder(str(key))
        except OSError as error:
            # the cleanup tries again, because the folder is marked
            logger.warning("%s", log_line("file_left_behind", task=key, cause=cause_of(error)))


def remove_files(names: Iterable[str]) -> None:
    for name in names:
        try:
            images.remove(name)
        except OSError as error:
            # the cleanup tries again, because the file has no row
            logger.warning("%s", log_line("file_left_behind", file=name, cause=cause_of(error)))


def delete_expired_sessions() -> None:
    """Delete expired sessions; browsers no longer send them."""
    import_string(f"{settings.SESSION_ENGINE}.SessionStore").clear_expired()
