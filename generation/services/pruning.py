"""Letting go of old finished tasks: rows first, files once that is committed."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Count, QuerySet, Sum

from generation import images
from generation.choices import TERMINAL
from generation.log_lines import cause_of, log_line
from generation.models import GeneratedImage, GenerationTask

logger = logging.getLogger(__name__)

BATCH = 100
"""Tasks per transaction: short enough that nobody waits for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prunable:
    """What would go; `bytes` of pictures, thumbnails not counted."""

    tasks: int
    images: int
    bytes: int


def ended_before(moment: datetime) -> QuerySet[GenerationTask]:
    return GenerationTask.objects.filter(
        status__in=sorted(TERMINAL), finished_at__lt=moment, slot__isnull=True
    )


def prunable(*, before: datetime) -> Prunable:
    tasks = ended_before(before)
    pictures = GeneratedImage.objects.filter(task__in=tasks).aggregate(
        count=Count("pk"), size=Sum("bytes")
    )
    return Prunable(tasks=tasks.count(), images=pictures["count"] or 0, bytes=pictures["size"] or 0)


def prune_batch(*, before: datetime) -> int:
    """Delete up to BATCH tasks with their events, pictures and files; how many there were."""
    return let_go(ended_before(before).order_by("finished_at"), BATCH)


def let_go(due: QuerySet[GenerationTask], most: int) -> int:
    """Delete the first `most` of these tasks with all of theirs, then their files; how many."""
    found = list(due.values_list("pk", flat=True)[:most])
    if not found:
        return 0
    # who dies after the commit leaves files of which no row tells any more; a note in the folder
    # of a task that is taken back in this moment is swept like any file without a row
    condemn(found)
    with transaction.atomic():
        still_due = due.filter(pk__in=found).order_by("pk").select_for_update(of=("self",))
        keys = list(still_due.values_list("pk", flat=True))
        GenerationTask.objects.filter(pk__in=keys).delete()
        transaction.on_commit(partial(remove_folders, keys))
    return len(keys)


def condemn(keys: Iterable[uuid.UUID]) -> None:
    for key in keys:
        try:
            images.condemn(str(key))
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
