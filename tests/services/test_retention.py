"""Old finished tasks are deleted with all their data, and only those."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from generation import images, services
from generation.models import GeneratedImage, GenerationTask, TaskEvent, Worker
from tests.factories import claim_one, files_in, finish, settle, store, submit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("model")]


def drawn(owner: User, worker: Worker, at: datetime) -> GenerationTask:
    """A completed task with its picture on disk."""
    task = submit(owner, at)
    claim = claim_one(worker, at)
    image = store(claim, at)
    images.write(image.file, b"picture")
    finish(claim, at)
    settle(claim, at)
    return task


def prune(*arguments: str) -> str:
    output = StringIO()
    call_command("prune", *arguments, stdout=output)
    return output.getvalue()


def test_a_dry_run_by_default(media: Path, alice: User, worker: Worker, now: datetime) -> None:
    drawn(alice, worker, now - timedelta(days=40))

    output = prune("--days", "30")

    assert output.startswith("Tasks: 1, pictures: 1, ")
    assert "Nothing was deleted" in output
    assert GenerationTask.objects.count() == 1


def test_old_tasks_are_deleted(media: Path, alice: User, worker: Worker, now: datetime) -> None:
    old = drawn(alice, worker, now - timedelta(days=40))
    young = drawn(alice, worker, now - timedelta(days=3))
    waiting = submit(alice, now - timedelta(days=400))

    assert "Deleted tasks: 1" in prune("--days", "30", "--yes")

    assert set(GenerationTask.objects.all()) == {young, waiting}
    assert not TaskEvent.objects.filter(task=old.pk).exists()
    assert GeneratedImage.objects.count() == 1
    assert len(files_in(media)) == 1


def test_retries_outlive_parents(media: Path, alice: User, worker: Worker, now: datetime) -> None:
    old = submit(alice, now - timedelta(days=40))
    services.request_cancel(task_id=old.pk, now=now - timedelta(days=40))
    old.refresh_from_db()
    again = services.retry(task=old, key=None, now=now).task

    prune("--days", "30", "--yes")

    again.refresh_from_db()
    assert again.parent is None


def test_a_negative_age_is_refused() -> None:
    with pytest.raises(CommandError):
        prune("--days", "-1")
