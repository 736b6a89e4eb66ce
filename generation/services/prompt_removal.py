"""Removes the prompts of old tasks: from their rows, their search text and their picture files."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import transaction

from accounts.log_format import log_line
from generation import images
from generation.exceptions import PictureError, StorageError
from generation.models import GeneratedImage, GenerationTask
from generation.outages import cause_of
from generation.selectors.image_detail import parameters_text
from generation.selectors.retention_due import tasks_with_prompt
from generation.services.charges import add_storage
from generation.services.search_text import search_text
from generation.services.task_deletion import remove_files

logger = logging.getLogger(__name__)

PROMPT_BATCH = 10
"""Tasks per batch; the files of their pictures are written again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A written file that is to replace `image.file`."""

    image: GeneratedImage
    name: str
    size: int
    sha256: str


def remove_prompts(
    *, owners: Collection[int], before: datetime, now: datetime, failed: Collection[str]
) -> tuple[int, list[str]]:
    """Remove the prompts of a batch of these tasks, without those that `failed` before.

    Returns how many tasks lost their prompts, and the keys of those that keep them because a
    picture of theirs cannot be read or written.
    """
    due = tasks_with_prompt(owners, before).exclude(pk__in=failed)
    tasks = list(due[:PROMPT_BATCH])
    kept = []
    for task in tasks:
        try:
            remove_prompt(task, now)
        except (OSError, PictureError, StorageError) as error:
            # the tasks of others must not wait for it
            logger.warning("%s", log_line("prompt_kept", task=task.pk, cause=cause_of(error)))
            kept.append(str(task.pk))
    return len(tasks) - len(kept), kept


def remove_prompt(task: GenerationTask, now: datetime) -> None:
    """Remove the prompts of a task, unless another process did.

    Raises OSError, PictureError or StorageError if a picture cannot be read or written; then the
    task keeps its prompts.
    """
    task.prompt = task.negative_prompt = ""
    files = new_files(task)
    with transaction.atomic():
        # locks the row: another process that prunes writes files of the same names
        left = GenerationTask.objects.filter(pk=task.pk, prompt_removed_at__isnull=True)
        removed = left.update(
            prompt="",
            negative_prompt="",
            error_detail="",  # it may quote the prompt
            search_text=search_text("", task.model),
            prompt_removed_at=now,
        )
        if removed:
            unused = {replace_file(each, task.owner_id) for each in files}
        else:
            unused = {each.name for each in files}
        held = GeneratedImage.objects.filter(task=task.pk).values_list("file", flat=True)
        transaction.on_commit(partial(remove_files, unused.difference(held)))


def new_files(task: GenerationTask) -> list[NewFile]:
    """Write the picture files again, with the settings that are left, under new names."""
    written = []
    for image in GeneratedImage.objects.filter(task=task.pk):
        try:
            old = images.read(image.file)
        except FileNotFoundError as error:
            # without the file there is no prompt in it
            logger.warning("%s", log_line("file_unread", file=image.file, cause=cause_of(error)))
            continue
        data = images.with_other_parameters(old, parameters_text(task, seed=image.seed))
        sha256 = hashlib.sha256(data).hexdigest()
        stem, dot, suffix = image.file.rpartition(".")
        name = f"{stem.rpartition('-')[0]}-{sha256[:8]}{dot}{suffix}"
        if name != image.file:
            images.write(name, data)
            written.append(NewFile(image=image, name=name, size=len(data), sha256=sha256))
    return written


def replace_file(new: NewFile, owner_id: int) -> str:
    """Put the new file into the row; returns the name of the file that is not needed."""
    row = GeneratedImage.objects.filter(pk=new.image.pk, file=new.image.file)
    if not row.update(file=new.name, bytes=new.size, sha256=new.sha256):
        # deleted meanwhile
        return new.name
    add_storage(owner_id, new.size - new.image.bytes)
    return new.image.file
