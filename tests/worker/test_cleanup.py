"""The hourly cleanup of a worker."""

from __future__ import annotations

import time
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone

from generation import selectors, services
from generation.models import GenerationTask, ShareLink
from generation.worker import WorkerRunner
from generation.worker.cleanup import BATCH_PAUSE, clean_up
from tests.factories import TRASH_KEPT, files_in, finished_task, submit

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


def fill_trash(owner: User) -> None:
    """More than one batch of tasks that lie there for long enough, and a link that has ended."""
    then = timezone.now() - TRASH_KEPT - timedelta(days=7)
    tasks = [finished_task(owner, then, pictures=k % 2) for k in range(101)]
    services.create_link(task=tasks[1], now=then)
    services.move_to_trash(owner=owner, pictures=[], tasks=[t.pk for t in tasks[:50]], now=then)
    services.move_to_trash(owner=owner, pictures=[], tasks=[t.pk for t in tasks[50:]], now=then)
    services.create_link(task=finished_task(owner, then), now=then)
    Session.objects.create(session_key="over", session_data="", expire_date=then)
    Session.objects.create(session_key="valid", session_data="", expire_date=timezone.now() + DAY)


@pytest.mark.usefixtures("running_hub")
async def test_it_empties_the_trash_and_deletes_links(media: Path, alice: User) -> None:
    await sync_to_async(fill_trash)(alice)

    runner = WorkerRunner(version="test")
    await runner.pause.refresh()
    began = time.monotonic()
    await runner.housekeeping.clean_up()

    assert time.monotonic() - began > 4 * BATCH_PAUSE
    assert await GenerationTask.objects.acount() == 1
    assert await ShareLink.objects.acount() == 0
    assert [each.session_key async for each in Session.objects.all()] == ["valid"]
    assert len(files_in(media)) == 2


@pytest.mark.usefixtures("running_hub")
async def test_it_makes_tasks_of_an_older_process_searchable(alice: User) -> None:
    task = await sync_to_async(submit)(alice, timezone.now(), prompt="Кошка")
    await GenerationTask.objects.filter(pk=task.pk).aupdate(search_text="")

    await clean_up(uuid.uuid4())

    await task.arefresh_from_db()
    assert task.search_text.startswith("кошка\n")


@pytest.mark.usefixtures("running_hub")
async def test_one_worker_does_it_for_all(media: Path, alice: User) -> None:
    await sync_to_async(fill_trash)(alice)
    now = timezone.now()
    register = sync_to_async(services.register_worker)
    elder, younger = [
        await register(host="here", pid=pid, version="test", now=now + timedelta(seconds=pid))
        for pid in (1, 2)
    ]

    await clean_up(younger.pk)
    assert await ShareLink.objects.acount() == 1
    await clean_up(elder.pk)
    assert await ShareLink.objects.acount() == 0

    await sync_to_async(services.retire_worker)(worker_id=elder.pk, now=now)
    assert await sync_to_async(selectors.oldest_worker)(now) == younger.pk
