"""When a worker has time for what nobody waits for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

IDLE_AFTER = 0.3
"""Seconds since the last thing that somebody waited for: then the processor is idle enough."""

MAX_WAIT = 5.0
"""Seconds after which a crowd that never ends is no excuse any more."""


class IdleQueue:
    """One turn at a time; each begins when nothing was urgent for a moment."""

    def __init__(self) -> None:
        self.one_at_a_time = asyncio.Lock()
        self.busy_at = 0.0

    def mark_busy(self) -> None:
        """Somebody waits for what is done now."""
        self.busy_at = monotonic()

    def seconds_left(self, deadline: float) -> float:
        return min(self.busy_at + IDLE_AFTER, deadline) - monotonic()

    @asynccontextmanager
    async def idle_turn(self) -> AsyncIterator[None]:
        deadline = monotonic() + MAX_WAIT
        async with self.one_at_a_time:
            while (left := self.seconds_left(deadline)) > 0:  # noqa: ASYNC110  what is urgent moves it
                await asyncio.sleep(left)
            yield
