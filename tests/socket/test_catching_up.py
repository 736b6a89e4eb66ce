"""Reading a long log for somebody who does not take it."""

from __future__ import annotations

import gc
import json

from django.contrib.auth.models import User

from generation.hub import hub
from generation.hub.catching_up import catch_up
from generation.hub.outbox import QUEUE_FRAMES
from generation.models import Worker
from generation.selectors import LogPage
from tests.socket.pages import OpenPage
from tests.socket.test_attaching import claim, progress, seqs_until
from tests.socket.test_outbox import Transport

LOG = 2 * QUEUE_FRAMES + 100


async def test_who_stands_still_has_no_more_than_a_queue_of_the_log_in_memory(
    alice: User, model: str, worker: Worker, open_page: OpenPage
) -> None:
    page = await open_page(alice)
    task_id = await page.generate()
    running = await claim(worker)
    await progress(running, LOG)
    await seqs_until(page, task_id, LOG + 3)
    reader = Transport()
    reader.open.clear()
    await hub.register(reader.outbox)
    reader.outbox.cursors[task_id] = 0

    reading = catch_up(reader.outbox, task_id)
    await reader.waiting.wait()
    gc.collect()
    assert len(reader.outbox.frames) < QUEUE_FRAMES
    assert [held for held in gc.get_objects() if isinstance(held, LogPage)] == []

    await progress(running, 1)
    reader.open.set()
    await reading
    events = [event for event in map(json.loads, reader.frames) if "kind" in event]
    assert [event["seq"] for event in events] == list(range(1, LOG + 5))
    await hub.unregister(reader.outbox)
