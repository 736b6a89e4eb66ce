"""Each alarm, made true for real: it is sent once by each channel, and so is its all-clear."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.core import mail
from django.test import override_settings

from demo_xinference.faults import parse
from generation import services
from generation.alarms import AlarmWatcher
from generation.choices import AlarmKind
from generation.clock import clock
from generation.error_codes import ErrorCode
from generation.models import (
    ModelServer,
    ModelState,
    Worker,
)
from tests.alarms.alarm_turns import (
    SECRET,
    only_incident,
    received,
    turns,
)
from tests.conftest import MODEL
from tests.factories import claim_one, fail, settle, submit
from tests.webhooks.receiver import Receiver
from tests.worker.demo_worker import StartWorker, probe

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("running_hub")]


async def expect(
    watcher: AlarmWatcher,
    alerts: Receiver,
    kind: AlarmKind,
    repair: Callable[[], Awaitable[Any]],
    subject: str = "",
) -> None:
    """The alarm is sent once however long it lasts; after `repair` its all-clear is."""
    await turns(watcher)
    assert received(alerts) == [("alert.opened", kind.value, subject)]
    assert len(mail.outbox) == 1

    await repair()
    await turns(watcher)
    assert received(alerts)[1:] == [("alert.closed", kind.value, subject)]
    assert len(mail.outbox) == 2
    assert {request.id for request in alerts.requests} == {
        f"alert_{await database_sync_to_async(only_incident)()}_{end}"
        for end in ("opened", "closed")
    }


async def test_no_worker(
    watcher: AlarmWatcher, alerts: Receiver, start_worker: StartWorker
) -> None:
    demo_worker = await start_worker()
    await turns(watcher)
    assert received(alerts) == []

    await demo_worker.runner.drain()

    await expect(watcher, alerts, AlarmKind.NO_WORKER, start_worker)


async def test_a_killed_worker_counts_as_none(
    watcher: AlarmWatcher, alerts: Receiver, worker: Worker
) -> None:
    silent = Worker.objects.filter(pk=worker.pk)
    await database_sync_to_async(silent.update)(last_seen=clock.now() - timedelta(seconds=16))

    await turns(watcher)

    assert received(alerts) == [("alert.opened", "no_worker", "")]


async def test_a_model_that_is_down(
    watcher: AlarmWatcher, alerts: Receiver, start_worker: StartWorker
) -> None:
    demo_worker = await start_worker(faults=[parse({"do": "drop", "on": "models"})])

    async def repair() -> None:
        demo_worker.demo.faults.clear()
        await probe(demo_worker.runner)

    await expect(watcher, alerts, AlarmKind.MODEL_DOWN, repair, MODEL)


async def test_a_refused_key(
    watcher: AlarmWatcher, alerts: Receiver, start_worker: StartWorker
) -> None:
    """One alarm, although no model can be used either."""
    demo_worker = await start_worker(api_key="sk-another")
    refused = await ModelState.objects.aget()
    assert refused.error_code == "key_refused"

    async def repair() -> None:
        demo_worker.demo.key_check.api_key = ""
        await ModelServer.objects.aupdate(refused_key="", refused_until=None)
        await probe(demo_worker.runner)

    await expect(watcher, alerts, AlarmKind.KEY_REFUSED, repair)


async def test_a_key_that_one_server_refuses_hides_no_other_trouble(
    watcher: AlarmWatcher, alerts: Receiver, start_worker: StartWorker
) -> None:
    await start_worker()
    await ModelServer.objects.acreate(name="refuses", error_code=ErrorCode.KEY_REFUSED)
    await turns(watcher)
    await database_sync_to_async(services.record_unreachable)(
        server_id=(await ModelServer.objects.aget(name="default")).pk,
        code=ErrorCode.MODEL_DOWN,
        now=clock.now(),
    )
    with override_settings(ALERT_MODEL_DOWN=timedelta(seconds=0.001)):
        await turns(watcher)

    assert received(alerts) == [
        ("alert.opened", "key_refused", ""),
        ("alert.opened", "model_down", MODEL),
    ]


async def test_a_disk_that_is_nearly_full(
    watcher: AlarmWatcher, alerts: Receiver, start_worker: StartWorker
) -> None:
    await start_worker()
    with override_settings(ALERT_FREE_SPACE=2**62):
        await expect_opened(watcher, alerts, AlarmKind.DISK_FULL)
    await turns(watcher)

    assert received(alerts)[1:] == [("alert.closed", "disk_full", "")]


async def expect_opened(watcher: AlarmWatcher, alerts: Receiver, kind: AlarmKind) -> None:
    await turns(watcher)
    assert received(alerts) == [("alert.opened", kind.value, "")]


async def test_a_disk_that_cannot_be_read(
    watcher: AlarmWatcher, alerts: Receiver, start_worker: StartWorker
) -> None:
    await start_worker()
    with override_settings(MEDIA_ROOT="/dev/full/media", ALERT_FREE_SPACE=1):
        await expect_opened(watcher, alerts, AlarmKind.DISK_FULL)

    cause = alerts.requests[0].verified(SECRET)["data"]["cause"]
    assert cause == "/dev/full/media 没有响应"


async def test_a_queue_that_does_not_move(
    watcher: AlarmWatcher, alerts: Receiver, alice: User, start_worker: StartWorker
) -> None:
    held = parse({"do": "hold", "seconds": 600})
    demo_worker = await start_worker(faults=[held])
    long_ago = clock.now() - timedelta(minutes=31)
    submitting = database_sync_to_async(submit)
    tasks = [await submitting(alice, long_ago) for _number in range(2)]
    demo_worker.runner.wake()
    async with asyncio.timeout(30):
        while not demo_worker.runner.runs:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def repair() -> None:
        cancel = database_sync_to_async(services.request_cancel)
        for task in tasks:
            await cancel(task_id=task.pk, now=clock.now())

    await expect(watcher, alerts, AlarmKind.OLDEST_WAIT, repair)


async def test_many_failures(
    watcher: AlarmWatcher, alerts: Receiver, alice: User, worker: Worker, model: str
) -> None:
    await sync_to_async(fail_tasks)(alice, worker, 4)
    await turns(watcher)
    assert received(alerts) == []
    await sync_to_async(fail_tasks)(alice, worker, 1)
    await turns(watcher)
    assert received(alerts) == [("alert.opened", "failure_rate", "")]


def fail_tasks(owner: User, worker: Worker, count: int) -> None:
    now = clock.now()
    services.heartbeat(worker_id=worker.pk, slot_ids=[], draining=False, now=now)
    for _number in range(count):
        submit(owner, now)
        claim = claim_one(worker, now)
        fail(claim, now)
        settle(claim, now)


@pytest.mark.usefixtures("model")
async def test_while_paused_nothing_is_wrong_with_the_queue(
    watcher: AlarmWatcher, alerts: Receiver, worker: Worker, alice: User
) -> None:
    await database_sync_to_async(submit)(alice, clock.now() - timedelta(hours=3))
    await database_sync_to_async(services.heartbeat)(
        worker_id=worker.pk, slot_ids=[], draining=False, paused=True, now=clock.now()
    )

    await turns(watcher)

    assert received(alerts) == []
