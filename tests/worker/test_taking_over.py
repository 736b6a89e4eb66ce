"""Several workers: lost leases, hand-back and take-over."""

from __future__ import annotations

import asyncio
import threading
import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone

from generation import installation_id, services
from generation.choices import Step
from generation.exceptions import XinferenceAborted
from generation.models import GenerationTask, ModelSlot, ModelState, TaskEvent, Worker
from generation.protocol import Generate
from generation.services import Claim
from generation.worker import WorkerRunner
from generation.xinference import DrawRequest, XinferenceClient
from tests.contract.draw_requests import drawn, known, long, until
from tests.factories import boundary
from tests.socket.sockets import Page
from tests.worker.demo_worker import SMALL, DemoWorker, StartWorker, ending, is_end, seen_at


def stalled(seconds: float) -> list[dict[str, Any]]:
    """The first call stands still for so long, without using a processor."""
    return [{"do": "stall", "seconds": seconds, "times": 1}]


@sync_to_async
def claim_as_another(owner: User) -> tuple[Worker, Claim]:
    """A task that a worker of another host took in the moment it was there."""
    now = timezone.now()
    worker = services.register_worker(host="elsewhere", pid=1, version="t", now=now)
    request = Generate(prompt="LiuJuan", size=(512, 512), steps=9)
    with transaction.atomic():
        services.submit(owner=owner, request=request, now=now)
        (claim,) = services.claim(worker_id=worker.pk, now=now)
    return worker, claim


@sync_to_async
def begin(claim: Claim) -> DrawRequest:
    """The call that the other worker sends."""
    task, request_id = claim.task, installation_id.new_request_id()
    services.begin_call(
        task_id=task.pk,
        attempt=task.attempt,
        slot_id=claim.slot_id,
        request_id=request_id,
        seed=1,
        boundary=boundary(Step.PREPARING, seed=1),
        now=timezone.now(),
    )
    size = {"width": task.width, "height": task.height}
    return long(request_id=str(request_id), prompt=task.prompt, steps=task.steps, **size)


async def call_of_the_other(demo_worker: DemoWorker, claim: Claim) -> asyncio.Task[str]:
    """The model has it."""
    request = await begin(claim)
    client = demo_worker.runner.servers.client_of(claim.server_id)
    assert client is not None
    call = drawn(client, request, claim.route)
    await until(lambda: known(client, request.request_id), seconds=60)
    return call


async def test_a_call_of_a_server_that_no_worker_can_ask_is_given_up(
    alice: User, start_worker: StartWorker
) -> None:
    """Else the task would be queued with a slot for ever."""
    with override_settings(GENERATION_STALL=timedelta(seconds=1)):
        demo_worker = await start_worker()
        worker, claim = await claim_as_another(alice)
        for server_id, link in list(demo_worker.runner.servers.links.items()):
            await demo_worker.runner.servers.retire(server_id, link)
        demo_worker.runner.servers.connect = lambda _server: None
        await go_silent(worker)

        async def is_free() -> bool:
            return not await ModelSlot.objects.filter(task=claim.task.pk).aexists()

        await until(is_free, seconds=60)

    task = await GenerationTask.objects.aget(pk=claim.task.pk)
    assert (task.status, task.attempt) == ("queued", 1)


async def go_silent(worker: Worker) -> None:
    await sync_to_async(services.expire_worker)(worker_id=worker.pk, now=timezone.now())


async def log_of(task_id: uuid.UUID) -> list[TaskEvent]:
    return [event async for event in TaskEvent.objects.filter(task=task_id).order_by("seq")]


async def wait_for_the_end(task_id: uuid.UUID) -> GenerationTask:
    async with asyncio.timeout(60):
        while True:
            task = await GenerationTask.objects.aget(pk=task_id)
            if task.is_over:
                return task
            await asyncio.sleep(0.05)


async def test_a_silent_workers_call_is_aborted(alice: User, start_worker: StartWorker) -> None:
    demo_worker = await start_worker(faults=stalled(2))
    worker, claim = await claim_as_another(alice)
    call = await call_of_the_other(demo_worker, claim)

    await go_silent(worker)
    with pytest.raises(XinferenceAborted):
        await call
    task = await wait_for_the_end(claim.task.pk)

    assert (task.status, task.attempt, task.failed_attempts) == ("completed", 2, 1)
    (lost,) = [event for event in await log_of(task.pk) if event.kind == "interrupted"]
    assert lost.details == {"reason": "lease_expired", "counted": True, "stored": 0}


async def test_an_unabortable_call_holds_its_slot(alice: User, start_worker: StartWorker) -> None:
    demo_worker = await start_worker(faults=stalled(2), engine="vllm")
    worker, claim = await claim_as_another(alice)
    call = await call_of_the_other(demo_worker, claim)

    await go_silent(worker)
    async with asyncio.timeout(60):
        while (await GenerationTask.objects.aget(pk=claim.task.pk)).status == "running":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    slot = await ModelSlot.objects.aget(pk=claim.slot_id)
    under_way = not call.done()
    assert await call

    task = await wait_for_the_end(claim.task.pk)
    assert under_way
    assert (slot.task_id, slot.attempt) == (task.pk, 1)
    assert (task.status, task.attempt) == ("completed", 2)


async def test_a_returning_worker_writes_nothing(page: Page, start_worker: StartWorker) -> None:
    """Its call goes on for a while; nothing of it is written, and the other's result stands."""
    demo_worker = await start_worker(faults=[{"do": "delay_decode", "seconds": 3, "times": 1}])
    task_id = await page.generate(**SMALL)
    await seen_at(page, "decoding")

    @sync_to_async
    def take_over() -> None:
        now = timezone.now()
        other = services.register_worker(host="elsewhere", pid=1, version="t", now=now)
        services.expire_worker(worker_id=demo_worker.runner.worker_id, now=now)
        assert services.take_over_expired(worker_id=other.pk, now=now)

    await take_over()
    async with asyncio.timeout(60):
        while demo_worker.runner.runs:  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    log = await log_of(uuid.UUID(task_id))
    interrupted = next(event.seq for event in log if event.kind == "interrupted")
    assert all(event.attempt > 1 for event in log if event.seq > interrupted)


@pytest.mark.parametrize(("engine", "freed"), [("diffusers", True), ("vllm", False)])
async def test_a_stopped_worker_hands_back(
    page: Page, start_worker: StartWorker, engine: str, freed: bool
) -> None:
    demo_worker = await start_worker(speed=1, engine=engine)
    task_id = await page.generate(size="1024x1024", steps=20)
    second = await page.generate(**SMALL)
    # it may have begun before the second one was acknowledged
    while not any(m.get("step") in ("preparing", "generating") for m in page.messages):
        await page.receive(30)

    with override_settings(GENERATION_GRACE=timedelta(seconds=0.2)):
        await demo_worker.runner.drain()

    task = await GenerationTask.objects.aget(pk=task_id)
    last = (await log_of(task.pk))[-1]
    assert (task.status, task.failed_attempts) == ("queued", 0)
    assert last.details == {"reason": "handed_back", "counted": False, "stored": 0}
    assert await ModelSlot.objects.filter(task=task).aexists() == (not freed)
    assert [event.kind for event in await log_of(uuid.UUID(second))] == ["submitted"]
    assert (await Worker.objects.aget()).state == "stopped"


async def test_drain_finishes_running_calls(page: Page, start_worker: StartWorker) -> None:
    demo_worker = await start_worker()
    task_id = await page.generate(**SMALL)
    await page.until("claimed")

    with override_settings(GENERATION_GRACE=timedelta(seconds=60)):
        await demo_worker.runner.drain()

    assert (await ending(page, task_id))["type"] == "result"


async def test_two_workers_run_each_task_once(page: Page, start_worker: StartWorker) -> None:
    demo_worker = await start_worker(replicas=2)
    transport = httpx.ASGITransport(demo_worker.demo, raise_app_exceptions=False)
    client = XinferenceClient(base_url="http://demo", transport=transport)
    second = WorkerRunner(lambda _server: client, version="test")
    await second.start()

    tasks = [await page.generate(f"{k}", **SMALL) for k in range(6)]
    ends = [await ending(page, task_id) for task_id in tasks]
    await second.drain()

    assert sum(map(is_end, page.messages)) == len(tasks)
    assert {(end["type"], end["attempt"]) for end in ends} == {("result", 1)}
    assert not await ModelSlot.objects.filter(number__gt=2).aexists()


async def test_the_setting_overrides_the_replicas(alice: User, start_worker: StartWorker) -> None:
    with override_settings(GENERATION_SLOTS="3"):
        await start_worker(replicas=1)

        # within it: the worker goes on looking
        state = await ModelState.objects.aget()
        assert (state.replicas, state.slots) == (1, 3)
        assert await ModelSlot.objects.acount() == 3


async def test_a_lost_heartbeat_ends_the_call(page: Page, start_worker: StartWorker) -> None:
    unlocked = threading.Event()

    def lock_the_worker(key: uuid.UUID) -> None:
        try:
            with transaction.atomic():
                Worker.objects.select_for_update().get(pk=key)
                unlocked.wait(60)
        finally:
            connection.close()

    with override_settings(GENERATION_LEASE=timedelta(seconds=6)):
        demo_worker = await start_worker(faults=stalled(8))
        await page.generate(**SMALL)
        await seen_at(page, "generating")
        locked = asyncio.create_task(
            asyncio.to_thread(lock_the_worker, demo_worker.runner.worker_id)
        )
        try:
            async with asyncio.timeout(50):
                while demo_worker.demo.model.replicas[0].jobs:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            assert not locked.done()
        finally:
            unlocked.set()
            await locked
