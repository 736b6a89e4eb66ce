"""Letting go of old finished tasks: rows first, files once that is committed."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Count, QuerySet, Sum

from generation import images
from generation.choices import TERMINAL
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
    with transaction.atomic():
        keys = list(
            ended_before(before).order_by("finished_at").values_list("pk", flat=True)[:BATCH]
        )
        let_go(keys)
    return len(keys)


def let_go(keys: Collection[uuid.UUID]) -> None:
    """Delete these tasks with all of theirs; inside a transaction, whose commit frees the files."""
    GenerationTask.objects.filter(pk__in=keys).delete()
    folders = [str(key) for key in keys]
    for folder in folders:
        # who dies after the commit leaves files of which no row tells any more
        try:
            images.condemn(folder)
        except OSError as error:
            # a full disk is just what prune is called for
            logger.warning("%s is removed without a note: %r", folder, error)
    transaction.on_commit(partial(remove_folders, folders))


def remove_folders(folders: Sequence[str]) -> None:
    for folder in folders:
        images.remove_folder(folder)
