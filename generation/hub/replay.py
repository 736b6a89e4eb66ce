"""Reading the log for one reader and task, no faster than he takes it."""

from __future__ import annotations

import asyncio

from channels.db import database_sync_to_async

from generation import selectors
from generation.hub.outbox import Outbox
from generation.hub.replay_locks import replay_lock
from generation.selectors import LogPage
from generation.teardown import cancel_and_wait


def start_replay(outbox: Outbox, task_id: str, first: LogPage | None = None) -> asyncio.Task[None]:
    """Tell him everything after his cursor; one reading of a task at a time.

    `first`: the page after the cursor, if it was read already.
    """
    running = outbox.replays.get(task_id)
    if running is None:
        running = asyncio.create_task(replay_log(outbox, task_id, first))
        outbox.replays[task_id] = running
    return running


async def set_cursor(outbox: Outbox, task_id: str, seq: int) -> None:
    """Attached again, perhaps from another event: an earlier reading must not move the cursor."""
    running = outbox.replays.get(task_id)
    try:
        if running is not None:
            # without a cursor nobody begins another reading while this one ends
            outbox.cursors.pop(task_id, None)
            await cancel_and_wait(running)
            outbox.replays.pop(task_id, None)
    finally:
        outbox.cursors[task_id] = seq


async def replay_log(outbox: Outbox, task_id: str, first: LogPage | None = None) -> None:
    more = True
    try:
        while more and task_id in outbox.cursors:
            # his tasks take turns: of pages that are read together only one finds room
            async with outbox.reading_lock():
                more = await replay_page(outbox, task_id, first)
            first = None
    finally:
        if outbox.replays.get(task_id) is asyncio.current_task():
            del outbox.replays[task_id]


async def replay_page(outbox: Outbox, task_id: str, first: LogPage | None) -> bool:
    """Hand one page over when nothing waits for him; whether there is another.

    What he does not take is dropped and read again: the log keeps it, not our memory.
    """
    await outbox.wait_until_empty()
    page = first or await next_page(outbox, task_id)
    if task_id not in outbox.cursors:
        return False
    if not page.frames:
        # the doorbell told of more than the log holds: real news comes with compare()
        outbox.seen.pop(task_id, None)
        return False
    took_all = queue_page(outbox, task_id, page)
    behind = outbox.seen.get(task_id, 0) > outbox.cursors[task_id]
    return not took_all or page.more or behind


async def next_page(outbox: Outbox, task_id: str) -> LogPage:
    async with replay_lock(outbox.owner_id):
        return await database_sync_to_async(selectors.log_after)(
            task_id=task_id, after=outbox.cursors.get(task_id, 0), limit=outbox.page_size()
        )


def queue_page(outbox: Outbox, task_id: str, page: LogPage) -> bool:
    """Move the cursor behind what he takes; whether that is all of it."""
    for part in page.parts():
        if outbox.try_send(*(frame for _seq, frame in part)):
            outbox.cursors[task_id] = part[-1][0]
            continue
        for seq, frame in part:
            if not outbox.offer(frame):
                return False
            outbox.cursors[task_id] = seq
    return True
