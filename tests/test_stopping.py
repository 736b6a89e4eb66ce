"""Stopping never waits without a limit, even for code that ignores cancellation."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from time import monotonic
from typing import Any, cast

import httpx
import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers
from django.contrib.auth.models import User

from demo_xinference.app import create_app
from generation import broadcast, services, shutdown
from generation.broadcast import Publisher
from generation.clock import clock
from generation.exceptions import LeaseLost
from generation.hub import Hub, SocketOutbox, Subscription, groups, hub, outbox
from generation.hub.groups import GroupMemberships
from generation.hub.queue_updates import QueueUpdates
from generation.models import Worker
from generation.protocol.close_codes import CloseCode
from generation.sessions import Credentials
from generation.sessions.stream import EventStream
from generation.worker import WorkerRunner, runner
from generation.worker.idle_lock import IdleLock
from generation.worker.task_run import TaskRun
from generation.xinference import XinferenceClient
from liujuan_site import lifespan
from liujuan_site.lifespan import Lifecycle
from liujuan_site.model_server import EmbeddedModel
from tests.factories import submit
from tests.socket.signed_in_pages import eventually
from tests.socket.sockets import PATIENCE, OpenPage
from tests.stubborn_work import Stubborn, StubbornLayer, StubbornTransport
from tests.worker.demo_worker import SPEED, probe, seen_at

SOON = 0.1


@pytest.fixture
async def stubborn(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stubborn]:
    for module, name in (
        (shutdown, "END_TIMEOUT"),
        (outbox, "CLOSE_TIMEOUT"),
        (groups, "LEAVE_TIMEOUT"),
        (groups, "MARKER_TIMEOUT"),
        (runner, "RETIRE_TIMEOUT"),
        (runner, "HAND_BACK_TIMEOUT"),
        (lifespan, "CLOSE_TIMEOUT"),
    ):
        monkeypatch.setattr(module, name, SOON)
    stubborn = Stubborn()
    yield stubborn
    stubborn.released.set()
    # what was left behind ends before its loop does
    await asyncio.gather(*stubborn.tasks)
    await asyncio.sleep(0)


@pytest.fixture
def stubborn_layer(stubborn: Stubborn, settings: Any) -> None:
    StubbornLayer.stubborn = stubborn
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": f"{StubbornLayer.__module__}.StubbornLayer"}}
    channel_layers.backends.clear()


async def test_what_ends_is_waited_for_and_what_does_not_is_named(
    stubborn: Stubborn, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise ValueError

    good, bad = asyncio.create_task(asyncio.sleep(60)), asyncio.create_task(fail())
    stuck = stubborn.task("the stubborn one")
    await asyncio.sleep(0)

    async def end() -> None:
        assert await shutdown.cancel_and_wait(good, bad, stuck, None) == {stuck}

    await stubborn.outlives(end())

    assert good.cancelled()
    assert 'task_left_behind task="the stubborn one Stubborn.work' in caplog.text


async def test_a_cancellation_that_gets_lost_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutdown, "CANCEL_INTERVAL", SOON)

    async def lose_one() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(600)
        await asyncio.sleep(600)

    task = asyncio.create_task(lose_one())
    await asyncio.sleep(0)

    assert await shutdown.cancel_and_wait(task) == set()
    assert task.cancelled()


async def test_listening_stops(stubborn: Stubborn, caplog: pytest.LogCaptureFixture) -> None:
    publisher = Publisher()
    publisher.start()
    publisher.send(stubborn.work)
    await stubborn.begun.wait()

    await stubborn.outlives(publisher.stop())

    assert 'task_left_behind task="publisher' in caplog.text


async def test_the_hub_stops_while_its_layer_goes_on(
    stubborn: Stubborn, stubborn_layer: None, caplog: pytest.LogCaptureFixture
) -> None:
    one = Hub()
    await one.start()
    await one.groups.join(7)
    # a loop that is late by MARKER_TIMEOUT, short here, joins in a later round
    await eventually(lambda: 7 in one.groups.joined)
    one.groups.release(7)
    one.queue_updates.publishing = stubborn.task("positions")

    await stubborn.outlives(one.stop())

    for name in ("hub listen", "positions", "leaving the group of owner 7"):
        assert f'task_left_behind task="{name}' in caplog.text


async def test_a_group_is_left_while_its_lock_is_held(
    stubborn: Stubborn, caplog: pytest.LogCaptureFixture
) -> None:
    memberships = GroupMemberships()
    memberships.joined[7] = monotonic()
    await memberships.locks[7].acquire()

    await stubborn.outlives(memberships.close())

    assert 'shutdown_late part="leaving the group of owner 7"' in caplog.text


async def test_queue_updates_stop_while_they_are_read(stubborn: Stubborn) -> None:
    updates = QueueUpdates()
    updates.publishing = stubborn.task("positions")
    await stubborn.outlives(updates.stop())


async def test_sockets_are_closed_while_one_does_not_close(stubborn: Stubborn) -> None:
    one = Hub()
    one.connecting.add(stubborn.work)
    await stubborn.outlives(one.close_sockets(CloseCode.LEAVING))


def outbox_of(stubborn: Stubborn) -> SocketOutbox:
    return SocketOutbox(owner_id=7, send=stubborn.work, close=stubborn.work)


async def test_a_reader_is_unregistered_while_its_tasks_go_on(stubborn: Stubborn) -> None:
    one, outbox = Hub(), outbox_of(stubborn)
    one.outboxes[outbox.owner_id].add(outbox)
    outbox.offer("{}")
    await stubborn.begun.wait()
    outbox.replays.append(stubborn.task("reading"))

    await stubborn.outlives(one.unregister(outbox))

    assert not one.outboxes


async def test_a_cursor_is_set_while_an_earlier_reading_goes_on(stubborn: Stubborn) -> None:
    subscription = Subscription(outbox_of(stubborn), "task")
    subscription.replay = stubborn.task("reading")

    await stubborn.outlives(subscription.reset(5))

    assert subscription.cursor == 5


async def test_a_stream_ends_while_its_reader_is_looked_up(stubborn: Stubborn) -> None:
    class SlowCredentials:
        sign_in = staticmethod(stubborn.work)

    stream = EventStream(cast(Credentials, SlowCredentials()), {})
    chunks = stream.chunks()
    await anext(chunks)
    await stubborn.begun.wait()

    await stubborn.outlives(chunks.aclose())


async def start_worker(stubborn: Stubborn, where: str) -> WorkerRunner:
    transport = StubbornTransport(stubborn, where)
    client = XinferenceClient(base_url="http://demo", transport=transport)
    worker = WorkerRunner(lambda _server: client, version="test")
    await worker.start()
    await probe(worker)
    return worker


async def aclose_demo(worker: WorkerRunner) -> None:
    for client in worker.servers.retired:
        transport = cast(StubbornTransport, client._connections._calls._transport)
        await transport.demo.aclose()


async def test_a_worker_drains_while_everything_of_it_goes_on(
    open_page: OpenPage, stubborn: Stubborn, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Its call, its loops, its take-over, its claimer and its connections."""
    settings.GENERATION_GRACE = settings.GENERATION_GRACE * 0
    worker = await start_worker(stubborn, "txt2img")
    page = await open_page()
    await page.generate(size="256x256")
    await seen_at(page, "preparing")
    await stubborn.begun.wait()
    worker.loops.append(stubborn.task("a loop"))
    worker.take_overs.slots[stubborn.task("slot 1")] = 1
    claimer, worker.claimer = worker.claimer, stubborn.task("claim")

    await stubborn.outlives(worker.drain())

    for name in ("a loop", "slot 1", "claim", "closing connections"):
        assert f'task_left_behind task="{name}' in caplog.text
    assert not worker.runs
    await shutdown.cancel_and_wait(claimer)
    await aclose_demo(worker)


async def test_a_run_ends_while_the_end_of_a_dropped_call_goes_on(
    alice: User, worker: Worker, model: str, running_hub: None, stubborn: Stubborn
) -> None:
    await sync_to_async(submit)(alice, clock.now())
    (claim,) = await sync_to_async(services.claim)(worker_id=worker.pk, now=clock.now())
    transport = StubbornTransport(stubborn, "abort")
    client = XinferenceClient(base_url="http://demo", transport=transport)
    run = TaskRun(claim, client, lambda: False, IdleLock())
    ending = run.end_dropped_call(uuid.uuid4())

    async def lose_the_lease() -> None:
        await stubborn.begun.wait()
        run.attempt.stop(LeaseLost())

    losing = asyncio.create_task(lose_the_lease())
    await stubborn.outlives(ending)
    await losing


async def test_drain_during_calls(stubborn: Stubborn, monkeypatch: pytest.MonkeyPatch) -> None:
    # this process's own hub is found afterwards as it was
    monkeypatch.setattr(hub, "leaving", False)

    class SlowServer:
        aclose = staticmethod(stubborn.work)

    process = Lifecycle()
    process.model_server = cast(EmbeddedModel, SlowServer())
    await stubborn.outlives(process.drain())


async def test_a_hub_and_a_worker_that_ended_leave_no_task(transactional_db: None) -> None:
    channel_layers.backends.clear()
    before = asyncio.all_tasks()
    await hub.start()
    demo = create_app(speed=SPEED)
    client = XinferenceClient(base_url="http://demo", transport=httpx.ASGITransport(demo))
    worker = WorkerRunner(lambda _server: client, version="test")
    await worker.start()
    # a wake-up, so that Channels has created its consumer
    await broadcast.layer().send(broadcast.WORKERS, {"type": "generation.wake"})
    await asyncio.wait_for(worker.woken.wait(), PATIENCE)

    await worker.drain()
    await demo.aclose()
    await hub.stop()
    # its connection to Redis has a task of its own
    await broadcast.layer().flush()

    assert asyncio.all_tasks() - before == set()
