"""The trash is emptied of everything that is due, and of nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from generation import images, services
from generation.models import GenerationTask, TaskEvent
from generation.services import Claim
from tests.factories import TRASH_KEPT, files_in, finish, finished_task, put_in_trash, store

pytestmark = pytest.mark.django_db(transaction=True)


def test_only_what_is_due_is_purged(media: Path, alice: User, now: datetime) -> None:
    gone, young, live = (finished_task(alice, now) for _each in range(3))
    part = finished_task(alice, now, pictures=2)
    put_in_trash(alice, now - TRASH_KEPT, (part, 1), tasks=[gone])
    put_in_trash(alice, now - TRASH_KEPT + timedelta(seconds=1), tasks=[young])

    assert sum(services.purge_trash(now=now)) == 2
    assert sum(services.purge_trash(now=now)) == 0

    assert set(GenerationTask.objects.all()) == {part, young, live}
    assert not TaskEvent.objects.filter(task=gone.pk).exists()
    assert [image.index for image in part.images.all()] == [2]
    assert {name.split("/")[0] for name in files_in(media)} == {
        str(task.pk) for task in (part, young, live)
    }
    assert len(files_in(media)) == 6


def test_a_full_trash_is_emptied_in_batches(media: Path, alice: User, now: datetime) -> None:
    tasks = [finished_task(alice, now, pictures=2) for _each in range(4)]
    copies = [finished_task(alice, now, pictures=0) for _each in range(40)]
    put_in_trash(alice, now - TRASH_KEPT, *[(task, 1) for task in tasks], tasks=copies)

    assert list(services.purge_trash(now=now)) == [25, 15, 4]
    assert list(services.purge_trash(now=now)) == []
    assert set(GenerationTask.objects.all()) == set(tasks)


def test_a_task_with_a_call_is_purged_later(claim: Claim, alice: User, now: datetime) -> None:
    task = claim.task
    store(claim, now)
    finish(claim, now)
    put_in_trash(alice, now - TRASH_KEPT, tasks=[task])

    assert sum(services.purge_trash(now=now)) == 0
    services.settle_slot(slot_id=claim.slot_id, task_id=task.pk, attempt=1, now=now)
    assert sum(services.purge_trash(now=now)) == 1


def test_folders_are_marked_before_other_writers_have_to_wait(
    media: Path, alice: User, now: datetime
) -> None:
    task = finished_task(alice, now)
    put_in_trash(alice, now - TRASH_KEPT, tasks=[task])
    mark = media / str(task.pk) / images.DELETION_MARK
    marked: list[bool] = []

    def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        # SQLite locks with BEGIN, which is sent before the block counts as entered
        if connection.in_atomic_block or sql.startswith("BEGIN"):
            marked.append(mark.exists())
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        assert sum(services.purge_trash(now=now)) == 1
    assert marked
    assert all(marked)


def test_files_that_could_not_be_removed_are_left_to_the_sweep(
    media: Path, alice: User, now: datetime
) -> None:
    task = finished_task(alice, now, pictures=2)
    put_in_trash(alice, now - TRASH_KEPT, (task, 1))
    image = task.images.get(index=1)
    files = [media / image.file, media / image.thumbnail]
    for path in files:
        # a folder in the place of a file cannot be unlinked, even by root
        path.rename(path.with_suffix(".away"))
        path.mkdir()

    assert sum(services.purge_trash(now=now)) == 1

    for path in files:
        path.rmdir()
        path.with_suffix(".away").rename(path)
    assert len(files_in(media)) == 4
    for path in media.rglob("*.*"):
        os.utime(path, (0, 0))
    assert services.remove_orphaned_files(now=now) == 2
    assert len(files_in(media)) == 2


def test_a_folder_that_cannot_be_removed_keeps_no_other_one(
    media: Path, alice: User, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    tasks = [finished_task(alice, now) for _each in range(3)]
    stuck = str(tasks[0].pk)
    (media / stuck / "a folder").mkdir()
    put_in_trash(alice, now - TRASH_KEPT, tasks=tasks)

    assert sum(services.purge_trash(now=now)) == 3

    assert {name.split("/")[0] for name in files_in(media)} == {stuck}
    assert stuck in caplog.text


def test_prune_deletes_the_trash_too(media: Path, alice: User, now: datetime) -> None:
    old = now - timedelta(days=40)
    task = finished_task(alice, old)
    put_in_trash(alice, now, tasks=[task])

    assert services.prune_summary(before=now - timedelta(days=30)).tasks == 1
    assert services.prune_batch(before=now - timedelta(days=30)) == 1
    assert files_in(media) == set()
