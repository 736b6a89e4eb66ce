"""Workers that an operator pauses, or in a copy at the model server of the original."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from io import StringIO
from pathlib import Path

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import override_settings

from generation import services
from generation.models import GenerationTask, ModelSlot, ModelState, Worker
from tests.factories import claim_one, submit
from tests.socket.sockets import Page
from tests.worker.demo_worker import SMALL, StartWorker, ending, probe


async def test_a_copy_waits_until_it_is_resumed(
    alice: User, model: str, worker: Worker, page: Page, start_worker: StartWorker, tmp_path: Path
) -> None:
    await sync_to_async(services.pause_level)()
    now = worker.last_seen - timedelta(seconds=60)
    await sync_to_async(submit)(alice, now)
    await sync_to_async(claim_one)(worker, now)
    await Worker.objects.aupdate(last_seen=now)
    with override_settings(DATA_DIR=tmp_path, GENERATION_LEASE=timedelta(seconds=3)):
        demo_worker = await start_worker()
        task_id = await page.generate(**SMALL)
        place = await page.until("queue")
        while place["tasks"].get(task_id, {}).get("reason") != "paused":
            place = await page.until("queue")
        # the lease of the other task ran out long ago
        await demo_worker.runner.expire()
        assert not await demo_worker.runner.claim_tasks()
        assert (await ModelSlot.objects.aget()).task_id is not None
        assert (await Worker.objects.exclude(pk=worker.pk).aget()).state == "paused"
        assert not demo_worker.demo.model.progress._records

        await sync_to_async(call_command)("resume", stdout=StringIO())
        await demo_worker.runner.heartbeat()
        await probe(demo_worker.runner)

        assert (await ending(page, task_id))["type"] == "result"


async def test_a_pause_of_an_operator_stops_claims_alone(
    alice: User, model: str, worker: Worker, page: Page, start_worker: StartWorker
) -> None:
    now = worker.last_seen - timedelta(seconds=60)
    taken = await sync_to_async(submit)(alice, now)
    await sync_to_async(claim_one)(worker, now)
    await Worker.objects.aupdate(last_seen=now)
    await sync_to_async(services.pause)()
    demo_worker = await start_worker()
    probed = len(demo_worker.requests)
    await ModelState.objects.aupdate(ready=False)

    task_id = await page.generate(**SMALL)
    await probe(demo_worker.runner)
    await demo_worker.runner.expire()
    await asyncio.gather(*demo_worker.runner.take_overs.slots)

    assert (await ModelState.objects.aget(name=model)).ready
    assert len(demo_worker.requests) > probed
    assert (await ModelSlot.objects.aget(model=model)).task_id is None
    assert (await GenerationTask.objects.aget(pk=taken.pk)).status == "queued"
    assert not demo_worker.runner.webhooks.is_held()
    assert not await demo_worker.runner.claim_tasks()
    assert (await Worker.objects.exclude(pk=worker.pk).aget()).state == "paused"

    await sync_to_async(services.end_pause)()
    await demo_worker.runner.heartbeat()
    assert (await ending(page, task_id))["type"] == "result"


async def test_second_host_joins(worker: Worker, start_worker: StartWorker, tmp_path: Path) -> None:
    """DATA_DIR may be a folder of each host, with `media/` shared between them."""
    await sync_to_async(services.pause_level)()
    with override_settings(DATA_DIR=tmp_path):
        demo_worker = await start_worker()
        await demo_worker.runner.heartbeat()
        assert demo_worker.runner.pause.on

        for second in (1, 2):
            at = worker.last_seen + timedelta(seconds=second)
            await Worker.objects.filter(pk=worker.pk).aupdate(last_seen=at)
            await demo_worker.runner.heartbeat()
        await demo_worker.runner.heartbeat()

        assert not demo_worker.runner.pause.on
