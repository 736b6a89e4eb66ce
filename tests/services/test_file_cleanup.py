"""Cleanup of files that a dead worker left."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from generation import images, services
from generation.models import Worker
from tests.factories import claim_one, files_in, store, submit

pytestmark = pytest.mark.django_db


def left_behind(name: str, *, written: datetime) -> None:
    images.write(name, b"picture")
    os.utime(images.path_of(name), (written.timestamp(), written.timestamp()))


def test_old_files_of_our_tasks_without_a_row_go_and_everything_else_stays(
    media: Path, alice: User, model: str, worker: Worker, now: datetime
) -> None:
    task = submit(alice, now)
    image = store(claim_one(worker, now), now)
    kept = f"{task.pk}/1-1-abc.jpg"
    type(image).objects.filter(pk=image.pk).update(file=kept, thumbnail=f"{kept}.thumb.webp")
    long_ago, lately = now - timedelta(hours=2), now - timedelta(minutes=50)
    left_behind(kept, written=long_ago)
    left_behind(f"{kept}.thumb.webp", written=long_ago)
    left_behind(f"{task.pk}/1-2-def.jpg", written=long_ago)
    left_behind(f"{task.pk}/2-1-fed.jpg", written=lately)
    left_behind(f"{task.pk}/.2-2-cba.jpg.part", written=long_ago)
    elsewhere = "00000000-0000-4000-8000-000000000000/1-1-abc.jpg"
    left_behind(elsewhere, written=long_ago)
    left_behind("something-else/notes.txt", written=long_ago)

    assert services.remove_orphaned_files(now=now) == 2
    assert services.remove_orphaned_files(now=now) == 0

    assert files_in(media) == {
        kept,
        f"{kept}.thumb.webp",
        f"{task.pk}/2-1-fed.jpg",
        elsewhere,
        "something-else/notes.txt",
    }


def test_without_any_picture_there_is_nothing_to_sweep(media: Path, now: datetime) -> None:
    assert services.remove_orphaned_files(now=now) == 0


def test_a_folder_that_cannot_be_swept_keeps_no_other_one(
    media: Path,
    alice: User,
    model: str,
    worker: Worker,
    now: datetime,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tasks = [submit(alice, now) for _each in range(3)]
    stuck, *_others = folders = sorted(str(task.pk) for task in tasks)
    long_ago = now - timedelta(hours=2)
    for folder in folders:
        left_behind(f"{folder}/1-1-abc.jpg", written=long_ago)
    # what cannot be removed as a file is found first, whatever order the disk has
    (media / stuck / "1-1-abc.jpg").unlink()
    (media / stuck / "a folder").mkdir()
    os.utime(media / stuck / "a folder", (0, 0))

    assert services.remove_orphaned_files(now=now) == 2

    assert stuck in caplog.text
    assert [path.name for path in media.iterdir()] == [stuck]
