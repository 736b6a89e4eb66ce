"""Tasks that are over, with their pictures on disk, without a worker's whole day."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import override_settings

from generation import images
from generation.choices import TaskStatus
from generation.models import GeneratedImage, GenerationTask
from tests.services.test_submitting import submit


@pytest.fixture
def media(tmp_path: Path) -> Iterator[Path]:
    with override_settings(MEDIA_ROOT=tmp_path / "media"):
        yield tmp_path / "media"


def files_in(media: Path) -> set[str]:
    return {str(path.relative_to(media)) for path in media.rglob("*") if path.is_file()}


def drawn(
    owner: User, at: datetime, *, pictures: int = 1, status: str = "completed", **asked: Any
) -> GenerationTask:
    """A task that ended at `at` with so many pictures; seeds from 100 unless asked for."""
    seed = asked.get("seed") or 100
    task = submit(owner, at, **{"n": max(1, pictures), **asked})
    GenerationTask.objects.filter(pk=task.pk).update(
        status=status,
        progress=100,
        finished_at=at,
        drawn_seed=seed,
        error_code="model_error" if status == TaskStatus.FAILED else "",
        cancel_requested_at=at if status == TaskStatus.CANCELLED else None,
    )
    for index in range(1, pictures + 1):
        add_picture(task, index, seed + index - 1)
    task.refresh_from_db()
    return task


def add_picture(task: GenerationTask, index: int, seed: int) -> GeneratedImage:
    name = f"{task.pk}/{index}-1-{uuid.uuid4().hex[:8]}.jpg"
    content = f"picture {task.pk} {index}".encode()
    for each in (name, f"{name}.thumb.webp"):
        images.write(each, content)
    return GeneratedImage.objects.create(
        task=task,
        index=index,
        file=name,
        thumbnail=f"{name}.thumb.webp",
        width=task.width,
        height=task.height,
        seed=seed,
        bytes=len(content),
        sha256="0" * 64,
    )


def key(task: GenerationTask, index: int = 1) -> str:
    return f"{task.pk}:{index}"
