"""The nightly run of a worker."""

from __future__ import annotations

from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from generation import services
from generation.models import GenerationTask, PruneRun
from generation.worker import WorkerRunner
from generation.worker.nightly_prune import prune
from tests.factories import finished_task

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("running_hub")]


@pytest.fixture
def old_tasks(alice: User, media: object, settings: Settings) -> None:
    """More than one batch of tasks whose prompts are old, at a time when the run may begin."""
    settings.PRUNE_HOUR, settings.RETENTION_PROMPTS = 0, 30
    for _each in range(11):
        finished_task(alice, timezone.now() - timedelta(days=40), pictures=0)


async def prompts_left() -> int:
    return await GenerationTask.objects.exclude(prompt="").acount()


async def runner() -> WorkerRunner:
    made = WorkerRunner(version="test")
    await made.pause.refresh()
    return made


@pytest.mark.usefixtures("old_tasks")
async def test_a_worker_prunes_until_nothing_is_left() -> None:
    worker = await runner()

    await worker.housekeeping.prune()

    assert await prompts_left() == 0
    run = await PruneRun.objects.aget()
    assert run.finished_at is not None
    assert run.prompts == 11


@pytest.mark.usefixtures("old_tasks")
async def test_it_stops_while_all_is_held_and_continues() -> None:
    worker = await runner()
    await sync_to_async(services.hold)()
    await worker.pause.refresh()
    await worker.housekeeping.prune()
    assert await prompts_left() == 11

    await sync_to_async(services.resume)(now=timezone.now())
    await worker.pause.refresh()
    await worker.housekeeping.prune()
    assert await prompts_left() == 0


@pytest.mark.usefixtures("old_tasks")
async def test_it_can_end_between_two_batches() -> None:
    worker = await runner()
    answers = iter([True, False])

    await prune(worker.worker_id, worker.idle_lock, lambda: next(answers))

    assert await prompts_left() == 1
    run = await PruneRun.objects.aget()
    assert (run.prompts, run.finished_at) == (10, None)
