"""Reading the log for one reader and task, no faster than he takes it."""

from __future__ import annotations

import asyncio

from channels.db import database_sync_to_async

from generation import selectors
from generation.hub.outbox import QUEUE_FRAMES, Box
from generation.selectors import LogPage


def catch_up(outbox: Box, task_id: str, first: LogPage | None = None) -> asyncio.Task[None]:
    """Tell him everything after his cursor; one reading at a time.

    `first`: the page after the cursor, if it was read already.
    """
    running = outbox.catching_up.get(task_id)
    if running is None:
        running = asyncio.create_task(read_log(outbox, task_id, first))
        outbox.catching_up[task_id] = running
    return running


async def stop_reading(outbox: Box, task_id: str) -> None:
    """Attached again with another cursor: an earlier reading must not move it."""
    running = outbox.catching_up.pop(task_id, None)
    if running is not None:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def read_log(outbox: Box, task_id: str, first: LogPage | None = None) -> None:
    page, limit = first, selectors.PAGE_EVENTS
    try:
        while task_id in outbox.cursors:
            page = page or await database_sync_to_async(selectors.log_after)(
                task_id=task_id, after=outbox.cursors[task_id], limit=limit
            )
            if task_id not in outbox.cursors:
                return
            if not page.frames:
                # the doorbell told of more than the log holds: real news comes with compare()
                outbox.seen.pop(task_id, None)
                return
            was_taken, more, page = hand_over(outbox, task_id, page), page.more, None
            if not was_taken:
                # what he did not take is in the log: while we wait, nothing of it is in memory
                limit = QUEUE_FRAMES
                await outbox.emptied()
            elif not more and outbox.seen.get(task_id, 0) <= outbox.cursors[task_id]:
                return
    finally:
        if outbox.catching_up.get(task_id) is asyncio.current_task():
            del outbox.catching_up[task_id]


def hand_over(outbox: Box, task_id: str, page: LogPage) -> bool:
    """Whether all of it was taken; the cursor stands behind what was."""
    for part in page.parts():
        if outbox.has_left(*(frame for _seq, frame in part)):
            outbox.cursors[task_id] = part[-1][0]
            continue
        for seq, frame in part:
            if not outbox.offer(frame):
                return False
            outbox.cursors[task_id] = seq
    return True
