"""Low-priority work runs one at a time, and never right after urgent work."""

from __future__ import annotations

import asyncio
from time import monotonic

from generation.worker.idle_queue import QUIET, Leisure


async def test_turns_never_overlap() -> None:
    leisure, running, most = Leisure(), 0, 0

    async def work() -> None:
        nonlocal running, most
        async with leisure.turn():
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*(work() for _each in range(5)))

    assert most == 1


async def test_a_turn_waits_for_what_became_urgent_meanwhile() -> None:
    leisure = Leisure()
    leisure.urgent()
    asyncio.get_running_loop().call_later(QUIET / 2, leisure.urgent)

    async with leisure.turn():
        assert monotonic() - leisure.urgent_at >= QUIET
