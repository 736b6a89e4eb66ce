"""Turns of people at the log: however many connections one has, one reading of theirs waits."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()


def replay_lock(owner_id: int) -> asyncio.Lock:
    """Held while the database reads a log for this person.

    Readings share one thread: without turns thirty connections of one person put thirty readings
    before the next of anyone else.
    """
    lock = locks.get(owner_id)
    if lock is None:
        lock = locks[owner_id] = asyncio.Lock()
    return lock
