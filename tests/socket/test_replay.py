"""Replay of long logs to a slow client."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.db import connection

from generation.hub import hub
from generation.limits import MAX_QUEUED_FRAMES
from generation.models import Worker
from generation.selectors import LogPage
from tests.socket.fake_transport import Transport, sent
from tests.socket.sockets import PATIENCE, Page
from tests.socket.task_events import claim, lengthen, progress, seqs_until

pytestmark = pytest.mark.usefixtures("model")

PAGES = 6
LOG = PAGES * MAX_QUEUED_FRAMES


class Slow(Transport):
    """Takes one frame after the other, and has to be waited for each time."""

    def send_now(self, *_frames: str) -> bool:
        return False

    async def send(self, frame: str) -> None:
        await asyncio.sleep(0)
        self.frames.append(frame)


async def stalled_reader(owner: User) -> Transport:
    reader = Transport()
    reader.open.clear()
    return await registered(reader, owner)


async def registered(reader: Transport, owner: User) -> Transport:
    reader.outbox.owner_id = owner.pk
    await hub.register(reader.outbox)
    return reader


async def filled(reader: Transport) -> None:
    """The outbox is full; one frame may be on its way and is never received."""
    async with asyncio.timeout(PATIENCE):
        while len(reader.outbox.frames) < MAX_QUEUED_FRAMES - 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def attach(reader: Transport, task_id: str) -> asyncio.Task[None]:
    owner_id = reader.outbox.owner_id
    attaching = hub.attach(reader.outbox, task_id=task_id, owner_id=owner_id, after=0)
    return asyncio.create_task(attaching)


def seqs(reader: Transport, task_id: str) -> list[int]:
    messages = map(json.loads, reader.frames)
    return [m["seq"] for m in messages if "kind" in m and m["task_id"] == task_id]


async def test_a_stalled_reader_holds_no_log(alice: User, worker: Worker, page: Page) -> None:
    task_id = await page.generate()
    running = await claim(worker)
    await seqs_until(page, task_id, 3)
    await lengthen(task_id, LOG)
    reader = await stalled_reader(alice)
    attaching = attach(reader, task_id)
    await filled(reader)
    gc.collect()
    assert [held for held in gc.get_objects() if isinstance(held, LogPage)] == []

    await progress(running, 1)
    reader.open.set()
    await attaching
    assert seqs(reader, task_id) == list(range(1, LOG + 2))
    await hub.unregister(reader.outbox)


async def test_slow_readers_share_pages(alice: User, quiet_hub: None, page: Page) -> None:
    tasks = [await page.generate(f"{number}") for number in range(4)]
    for task_id in tasks:
        await lengthen(task_id, LOG)
    questions: list[Any] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("SELECT seq, frame"):
            questions.append(params)
        return execute(sql, params, many, context)

    wrappers = await database_sync_to_async(lambda: connection.execute_wrappers)()
    wrappers.append(note)
    reader = await registered(Slow(), alice)
    await asyncio.gather(*(attach(reader, task_id) for task_id in tasks))
    wrappers.remove(note)
    await sent(reader.outbox)

    assert [seqs(reader, task_id) for task_id in tasks] == [list(range(1, LOG + 1))] * 4
    # a page may be cut in two by other frames in the queue
    assert len(questions) <= len(tasks) * (PAGES + 1)
    await hub.unregister(reader.outbox)


async def test_an_old_cursor_does_not_survive_a_new_attach(alice: User, page: Page) -> None:
    task_id = await page.generate()
    await lengthen(task_id, LOG)
    reader = await stalled_reader(alice)
    earlier = attach(reader, task_id)
    await filled(reader)

    again = attach(reader, task_id)
    await asyncio.sleep(0)
    reader.outbox.subscriptions[task_id].offer(LOG, "sent again")
    reader.open.set()
    await asyncio.wait({earlier, again})

    received = seqs(reader, task_id)
    assert len(received) > LOG
    assert received[-LOG:] == list(range(1, LOG + 1))
    await hub.unregister(reader.outbox)
