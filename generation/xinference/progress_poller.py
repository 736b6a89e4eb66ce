"""Polls the progress of running calls."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from time import monotonic

from generation.exceptions import XinferenceError, XinferenceKeyRefused
from generation.outages import Outage
from generation.xinference.connections import MAX_CONCURRENT_POLLS

logger = logging.getLogger(__name__)

POLL_FIRST = 0.15
"""Seconds between polls at first: short enough to observe 12 steps of 0.2 s and `decoding`."""

POLL_LATER = 0.5
"""Seconds between polls of a call older than a minute, whose steps take seconds."""

POLL_FIRST_FOR = 60.0

MAX_POLLS = 40
"""Polls per second of this process; each takes the server 5 to 15 ms."""

POLL_PAUSE = 2.0
"""Seconds without a poll after a refused key, in which the loops of all other calls end too."""


class ProgressPoller:
    """Shares the polls per second among all calls."""

    def __init__(self, progress: Callable[[str], Awaitable[float | None]]) -> None:
        """`progress`: one poll; raises only XinferenceError."""
        self._progress = progress
        self._concurrent = asyncio.Semaphore(MAX_CONCURRENT_POLLS)
        self._paused_until = 0.0
        self.polled_calls = 0

    async def watch(self, request_id: str) -> AsyncIterator[float]:
        """Yield each fraction larger than all before it (the first may be 0.0), until closed.

        Failed polls are skipped. It ends by itself only if the server refuses the key, because
        more polls would get this address banned.
        """
        self.polled_calls += 1
        outage = Outage(logger, "progress", call=request_id)
        try:
            began, best = monotonic(), -1.0
            while True:
                interval = POLL_FIRST if monotonic() - began < POLL_FIRST_FOR else POLL_LATER
                await asyncio.sleep(max(interval, self.polled_calls / MAX_POLLS))
                fraction = await self._poll(request_id, outage)
                if fraction is not None and fraction > best:
                    best = fraction
                    yield fraction
        except XinferenceKeyRefused as error:
            outage.failed(error)
        finally:
            self.polled_calls -= 1

    async def _poll(self, request_id: str, outage: Outage) -> float | None:
        """The fraction, or None if the request fails; raises XinferenceKeyRefused.

        A refused key ends the waiting polls too, because ten refusals ban this address.
        """
        try:
            async with self._concurrent:
                if monotonic() < self._paused_until:
                    raise XinferenceKeyRefused("it was refused to another poll")
                fraction = await self._poll_now(request_id)
        except XinferenceKeyRefused:
            raise
        except XinferenceError as error:
            outage.failed(error)
            return None
        outage.worked()
        return fraction

    async def _poll_now(self, request_id: str) -> float | None:
        try:
            return await self._progress(request_id)
        except XinferenceKeyRefused:
            self._paused_until = monotonic() + POLL_PAUSE
            raise
