"""Locks that let each user have only one read of the log waiting, for all connections."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()


def replay_lock(owner_id: int) -> asyncio.Lock:
    """The lock to hold while a log is read for this user.

    Reads share one thread: without the lock, thirty connections of one user would put thirty
    reads before another user's.
    """
    lock = locks.get(owner_id)
    if lock is None:
        lock = locks[owner_id] = asyncio.Lock()
    return lock
