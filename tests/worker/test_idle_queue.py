"""Low-priority work runs one at a time, and never right after urgent work."""

from __future__ import annotations

import asyncio
from time import monotonic

from generation.worker.idle_queue import IDLE_AFTER, IdleQueue


async def test_idle_turns_never_overlap() -> None:
    idle, running, most = IdleQueue(), 0, 0

    async def work() -> None:
        nonlocal running, most
        async with idle.idle_turn():
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*(work() for _each in range(5)))

    assert most == 1


async def test_a_turn_waits_for_what_became_urgent_meanwhile() -> None:
    idle = IdleQueue()
    idle.mark_busy()
    asyncio.get_running_loop().call_later(IDLE_AFTER / 2, idle.mark_busy)

    async with idle.idle_turn():
        assert monotonic() - idle.busy_at >= IDLE_AFTER
