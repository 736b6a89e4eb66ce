"""Events around `hello`: read before registration in the hub, and arriving meanwhile."""

from __future__ import annotations

import asyncio
import json
import uuid
from time import monotonic

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User

from generation import selectors
from generation.hub import SocketOutbox, hub
from generation.models import Worker
from tests.socket.sockets import OpenPage, Page
from tests.socket.task_events import claim, progress, seqs_until

pytestmark = pytest.mark.usefixtures("model")


async def test_events_during_a_lookup_arrive(alice: User, worker: Worker, page: Page) -> None:
    task_id = await page.generate()
    running = await claim(worker)
    await progress(running, 3)
    await seqs_until(page, task_id, 6)
    reader = Reader(alice)
    await hub.register(reader.outbox)

    with hub.expecting(reader.outbox, [task_id]):
        first = await database_sync_to_async(selectors.log_after)(task_id=task_id, after=2)
        await progress(running, 5)
        await seqs_until(page, task_id, 11)
        await hub.attach(reader.outbox, task_id=task_id, owner_id=alice.pk, after=2, first=first)

    assert len(first.frames) == 4
    assert reader.seqs == list(range(3, 12))
    await hub.unregister(reader.outbox)


async def test_only_new_events_are_read(alice: User, worker: Worker, page: Page) -> None:
    task_id = await page.generate()
    running = await claim(worker)
    await seqs_until(page, task_id, 3)
    nothing = selectors.LogPage(frames=[], more=False)
    reader = Reader(alice)
    await hub.register(reader.outbox)

    with hub.expecting(reader.outbox, [task_id]):
        await progress(running, 2)
        await seqs_until(page, task_id, 5)
        await hub.attach(reader.outbox, task_id=task_id, owner_id=alice.pk, after=3, first=nothing)

    assert reader.seqs == [4, 5]
    await hub.unregister(reader.outbox)


async def test_detach_ends_a_running_replay(alice: User, worker: Worker, page: Page) -> None:
    task_id = await page.generate()
    reader = Reader(alice)
    await hub.register(reader.outbox)
    subscription = hub.subscribe(reader.outbox, task_id)
    await subscription.reset(0)

    reading = subscription.start_replay()
    await asyncio.sleep(0)
    hub.detach(reader.outbox, task_id)
    await reading

    assert reader.seqs == []
    assert not reader.outbox.is_attached(task_id)
    await hub.unregister(reader.outbox)


async def test_a_cancelled_reset_leaves_a_cursor(alice: User, page: Page) -> None:
    task_id = await page.generate()
    reader = Reader(alice)
    await hub.register(reader.outbox)
    subscription = hub.subscribe(reader.outbox, task_id)
    await subscription.reset(0)
    subscription.start_replay()
    await asyncio.sleep(0)

    resetting = asyncio.create_task(subscription.reset(1))
    await asyncio.sleep(0)
    assert not reader.outbox.is_attached(task_id)
    resetting.cancel()
    await asyncio.wait({resetting, *reader.outbox.replays})

    assert resetting.cancelled()
    assert reader.outbox.cursors() == {task_id: 1}
    assert subscription.is_live
    await hub.unregister(reader.outbox)


class Reader:
    """An outbox whose frames are kept."""

    def __init__(self, user: User) -> None:
        self.seqs: list[int] = []
        self.outbox = SocketOutbox(
            owner_id=user.pk, send=self.send, send_now=self.send_now, close=self.close
        )

    def send_now(self, *frames: str) -> bool:
        events = [json.loads(frame) for frame in frames]
        self.seqs += [event["seq"] for event in events if "kind" in event]
        return True

    async def send(self, frame: str) -> None:
        raise AssertionError("there is nothing to wait for")

    async def close(self, code: int) -> None:
        raise AssertionError(code)


async def test_refused_tasks_are_not_subscribed_to(bob: User, open_page: OpenPage) -> None:
    page, stranger = await open_page(), await open_page(bob)
    task_id = await page.generate()
    await page.until("submitted")

    for wanted in (task_id, task_id.upper(), str(uuid.uuid4()), "no id at all"):
        answer = await stranger.ask(action="attach", task_id=wanted)
        assert answer["code"] == "not_found"

    assert set(hub.subscriptions) == {task_id}
    assert len(hub.subscriptions[task_id]) == 1


async def test_ids_are_normalised(worker: Worker, open_page: OpenPage) -> None:
    first, second = await open_page(), await open_page()
    task_id = await first.generate()

    answer = await second.ask(action="attach", task_id=task_id.upper())
    await progress(await claim(worker), 1)

    assert answer["task_id"] == task_id
    assert await seqs_until(second, task_id, 4) == [1, 2, 3, 4]


async def test_missed_notices_are_detected(alice: User, bob: User, open_page: OpenPage) -> None:
    page, other = await open_page(), await open_page()
    since, notices = monotonic(), hub.notices

    assert hub.missed_no_notice(alice.pk, since=since, notices=notices)
    assert not hub.missed_no_notice(alice.pk, since=since - 3_600, notices=notices)
    assert not hub.missed_no_notice(bob.pk, since=since, notices=notices)

    await page.generate()
    await other.until("task")
    assert not hub.missed_no_notice(alice.pk, since=since, notices=notices)
