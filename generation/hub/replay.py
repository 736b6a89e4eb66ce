"""Replays the log of a task to a client that missed events of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from channels.db import database_sync_to_async

from generation import selectors
from generation.selectors import LogPage

if TYPE_CHECKING:
    from generation.hub.subscription import Subscription

replay_locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()


async def replay_log(subscription: Subscription, first: LogPage | None) -> None:
    """Queue every event after the cursor, page by page; `first` is the first page, if known."""
    more = True
    try:
        while more and subscription.cursor is not None:
            # one task at a time: of pages that are read together only one would fit
            async with subscription.outbox.reading_lock():
                more = await replay_page(subscription, first)
            first = None
    finally:
        subscription.end_replay(asyncio.current_task())


async def replay_page(subscription: Subscription, page: LogPage | None) -> bool:
    """Queue one page once the outbox is empty; return whether more pages follow.

    Events that do not fit are dropped and read again, so that memory stays bounded.
    """
    outbox = subscription.outbox
    await outbox.wait_until_empty()
    if page is None:
        async with replay_lock(outbox.owner_id):
            page = await database_sync_to_async(selectors.log_after)(
                task_id=subscription.task_id,
                after=subscription.cursor or 0,
                limit=outbox.page_size(),
            )
    return subscription.take_page(page)


def replay_lock(owner_id: int) -> asyncio.Lock:
    """The lock to hold while a log is read for this user, on any connection.

    Reads share one thread: without the lock, thirty connections of one user would put thirty
    reads before another user's.
    """
    lock = replay_locks.get(owner_id)
    if lock is None:
        lock = replay_locks[owner_id] = asyncio.Lock()
    return lock
