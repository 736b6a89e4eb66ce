"""Low-priority work runs one at a time, and never right after urgent work."""

from __future__ import annotations

import asyncio
from time import monotonic

from generation.worker.idle_lock import IDLE_AFTER, IdleLock


async def test_low_priority_work_never_overlaps() -> None:
    idle, running, most = IdleLock(), 0, 0

    async def work() -> None:
        nonlocal running, most
        async with idle.held():
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*(work() for _each in range(5)))

    assert most == 1


async def test_low_priority_work_waits_for_what_became_urgent_meanwhile() -> None:
    idle = IdleLock()
    idle.mark_busy()
    asyncio.get_running_loop().call_later(IDLE_AFTER / 2, idle.mark_busy)

    async with idle.held():
        assert monotonic() - idle.busy_at >= IDLE_AFTER
