"""Static files and the disk of the pictures."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from time import perf_counter

from django.conf import settings

from generation import images, readiness
from generation.management.doctor.answers import Answer, Section, no, skipped, yes

WRITTEN = 8 * 1024**2
MIN_SPEED = 2 * 1024**2
"""Bytes per second: a lossless picture in a second."""

MIB = 1024**2


def are_static_files_there() -> Answer:
    question = "Are the static files of this version collected?"
    if settings.DEBUG:
        return skipped(question, "DEBUG=1 serves the sources")
    health = readiness.static_files()
    if not health.ok:
        hint = "manage.py collectstatic --no-input, then restart the web processes"
        return no(question, health.word, hint=hint, see=Section.UPGRADE)
    return yes(question)


def can_pictures_be_written() -> Answer:
    question = "Can pictures be written?"
    health = readiness.storage()
    if not health.ok:
        return no(
            question,
            health.detail,
            hint="make room, mount the volume for writing, or give it to the studio's account",
            see=Section.WATCH,
        )
    return yes(question, str(settings.MEDIA_ROOT))


def is_there_room() -> Answer:
    least = settings.ALERT_FREE_SPACE
    question = f"Is at least {least // MIB} MiB free for pictures?"
    if not least:
        return skipped(question, "ALERT_FREE_SPACE is 0")
    try:
        free = shutil.disk_usage(settings.MEDIA_ROOT).free
    except OSError as error:
        return skipped(question, images.os_error_text(error, Path(settings.MEDIA_ROOT)))
    if free < least:
        found = f"{free // MIB} MiB are free"
        # without --yes: they only say what they would delete
        hint = "manage.py prune; manage.py prune --days 90"
        return no(question, found, hint=hint, see=Section.SIZING)
    return yes(question, f"{free // MIB} MiB are free")


def is_disk_fast(least: int = MIN_SPEED) -> Answer:
    """`least`: bytes per second, each file with fsync."""
    question = f"Does the disk write {least / MIB:.0f} MiB a second?"
    try:
        seconds = seconds_to_write()
    except OSError as error:
        return skipped(question, images.os_error_text(error, Path(settings.MEDIA_ROOT)))
    speed = WRITTEN / seconds
    found = f"measured: {speed / MIB:.0f} MiB a second"
    if speed < least:
        hint = "move MEDIA_ROOT to a faster disk, or find out what else writes to it"
        return no(question, found, hint=hint, see=Section.SIZING)
    return yes(question, found)


def seconds_to_write() -> float:
    """Seconds for WRITTEN bytes up to the disk; raises OSError."""
    with tempfile.TemporaryFile(dir=settings.MEDIA_ROOT) as file:
        data = os.urandom(WRITTEN)
        began = perf_counter()
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        return perf_counter() - began


QUESTIONS = (are_static_files_there, can_pictures_be_written, is_there_room, is_disk_fast)
