"""Removes files without a row."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from accounts.log_format import log_line
from generation import images
from generation.identifiers import parse_uuid
from generation.models import GeneratedImage, GenerationTask
from generation.outages import cause_of

logger = logging.getLogger(__name__)

ORPHAN_AGE = timedelta(hours=1)


def remove_orphaned_files(*, now: datetime) -> int:
    """Remove files without a row that are older than an hour; returns their number.

    A file is written before its row, so a worker that dies in between leaves one behind, and a
    younger file may still get its row. Only folders of existing tasks and folders marked for
    deletion are searched, so that no images are lost if DATA_DIR is used with another database.
    """
    removed = 0
    for folder in images.folders():
        try:
            removed += remove_orphans_in(folder, now - ORPHAN_AGE)
        except OSError as error:
            # an error in one folder must not stop the others
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
    """The file names of the rows of the task `folder`; None if there is no such task."""
    key = parse_uuid(folder)
    if key is None or not GenerationTask.objects.filter(pk=key).exists():
        return None
    rows = GeneratedImage.objects.filter(task=key).values_list("file", "thumbnail")
    return {name for pair in rows for name in pair}
