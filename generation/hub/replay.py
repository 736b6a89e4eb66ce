"""Replay: reads a task's log for one client, no faster than the client receives it."""

from __future__ import annotations

import asyncio

from channels.db import database_sync_to_async

from generation import selectors
from generation.hub.outbox import Outbox
from generation.hub.replay_locks import replay_lock
from generation.selectors import LogPage
from generation.teardown import cancel_and_wait


def start_replay(outbox: Outbox, task_id: str, first: LogPage | None = None) -> asyncio.Task[None]:
    """Send every event after the client's cursor; return the running replay of this task.

    `first`: the page after the cursor, if it was read already.
    """
    running = outbox.replays.get(task_id)
    if running is None:
        running = asyncio.create_task(replay_log(outbox, task_id, first))
        outbox.replays[task_id] = running
    return running


async def set_cursor(outbox: Outbox, task_id: str, seq: int) -> None:
    """Set the cursor to `seq`; a replay from an earlier `attach` is stopped first."""
    running = outbox.replays.get(task_id)
    try:
        if running is not None:
            # without a cursor no other replay can start while this one ends
            outbox.cursors.pop(task_id, None)
            await cancel_and_wait(running)
            outbox.replays.pop(task_id, None)
    finally:
        outbox.cursors[task_id] = seq


async def replay_log(outbox: Outbox, task_id: str, first: LogPage | None = None) -> None:
    more = True
    try:
        while more and task_id in outbox.cursors:
            # one task at a time: of pages that are read together only one would fit
            async with outbox.reading_lock():
                more = await replay_page(outbox, task_id, first)
            first = None
    finally:
        if outbox.replays.get(task_id) is asyncio.current_task():
            del outbox.replays[task_id]


async def replay_page(outbox: Outbox, task_id: str, first: LogPage | None) -> bool:
    """Queue one page once the outbox is empty; return whether more pages follow.

    Events that do not fit are dropped and read again, so that memory stays bounded.
    """
    await outbox.wait_until_empty()
    page = first or await next_page(outbox, task_id)
    if task_id not in outbox.cursors:
        return False
    if not page.frames:
        # broadcast ahead of the readable log: `Hub.compare` sends the event once it can be read
        outbox.seen.pop(task_id, None)
        return False
    complete = queue_page(outbox, task_id, page)
    behind = outbox.seen.get(task_id, 0) > outbox.cursors[task_id]
    return not complete or page.more or behind


async def next_page(outbox: Outbox, task_id: str) -> LogPage:
    async with replay_lock(outbox.owner_id):
        return await database_sync_to_async(selectors.log_after)(
            task_id=task_id, after=outbox.cursors.get(task_id, 0), limit=outbox.page_size()
        )


def queue_page(outbox: Outbox, task_id: str, page: LogPage) -> bool:
    """Queue the page's events and move the cursor; False if the outbox became full."""
    for part in page.parts():
        if outbox.try_send(*(frame for _seq, frame in part)):
            outbox.cursors[task_id] = part[-1][0]
            continue
        for seq, frame in part:
            if not outbox.offer(frame):
                return False
            outbox.cursors[task_id] = seq
    return True
