"""Stored pictures: their rows, and the end of a task with the last of them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from generation.choices import Basis, EventKind
from generation.exceptions import TransitionRefused
from generation.images import Picture
from generation.models import GeneratedImage
from generation.services.ending import completed, free_slot, images_of, locked
from generation.services.transition import RUNNING, LogLine, transition


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """With this picture the task is completed, and its call is known to be over."""

    slot_id: int
    measured: dict[str, float]


def store_image(
    *,
    task_id: uuid.UUID,
    attempt: int,
    index: int,
    name: str,
    picture: Picture,
    seed: int,
    demo: bool,
    progress: float,
    eta_seconds: float,
    now: datetime,
    last: Last | None = None,
) -> GeneratedImage:
    """The row of a picture whose file is in place; refused once a cancel was requested.

    Stored already under this name (the answer to an earlier try was lost): that row again.
    With `last` the task is completed and the slot freed in the same transaction; refused if
    another picture is missing.
    """
    image = GeneratedImage(
        task_id=task_id,
        index=index,
        file=name,
        width=picture.width,
        height=picture.height,
        seed=seed,
        bytes=len(picture.data),
        sha256=picture.sha256,
        demo=demo,
    )
    line = LogLine(
        kind=EventKind.IMAGE_STORED,
        details={"image": image.data, "bytes": image.bytes},
        changes={"progress": progress, "basis": Basis.MEASURED, "eta_seconds": eta_seconds},
    )
    try:
        with transaction.atomic():
            lines = [line] if last is None else [*ended(line, image, last, now)]
            transition(
                task_id=task_id, lines=lines, sources=RUNNING, fence=attempt, wanted=True, now=now
            )
            image.save(force_insert=True)
            if last is not None:
                free_slot(slot_id=last.slot_id, task_id=task_id, attempt=attempt)
    except (TransitionRefused, IntegrityError):
        stored = GeneratedImage.objects.filter(task=task_id, index=index, file=name).first()
        if stored is None:
            raise
        return stored
    return image


def ended(
    line: LogLine, image: GeneratedImage, last: Last, now: datetime
) -> tuple[LogLine, LogLine]:
    """The line of the last picture, and that of the end."""
    task = locked(image.task_id)
    others = images_of(task) if task.n > 1 else []
    if len(others) + 1 != task.n:
        raise TransitionRefused
    # the end changes these too
    line.changes.update(status=task.status, step=task.step)
    pictures = sorted([*others, image.data], key=lambda each: each["index"])
    return line, completed(task, pictures, last.measured, now)


def record_thumbnail(*, image_id: int, name: str) -> bool:
    """Whether the picture still existed."""
    return bool(GeneratedImage.objects.filter(pk=image_id).update(thumbnail=name))
