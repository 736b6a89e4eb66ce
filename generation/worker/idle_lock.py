"""Runs low-priority work, such as thumbnails, when the worker is idle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

IDLE_AFTER = 0.3
"""Seconds without urgent work after which the worker counts as idle."""

MAX_WAIT = 5.0
"""Seconds after which low-priority work runs although the worker is busy."""


class IdleLock:
    """A lock that is given once the worker is idle, or after MAX_WAIT."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.busy_at = 0.0

    def mark_busy(self) -> None:
        """A user waits for what this process does now."""
        self.busy_at = monotonic()

    def seconds_left(self, deadline: float) -> float:
        return min(self.busy_at + IDLE_AFTER, deadline) - monotonic()

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        deadline = monotonic() + MAX_WAIT
        async with self.lock:
            while (left := self.seconds_left(deadline)) > 0:  # noqa: ASYNC110  urgent work extends it
                await asyncio.sleep(left)
            yield
