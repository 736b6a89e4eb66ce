"""Loops that run until they are cancelled: a job at an interval, and a receiver of messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from generation.outages import Outage, database, layer

RETRY_DELAY = 1.0
"""Seconds until a failed job or receiver starts again."""

Job = Callable[[], Coroutine[Any, Any, None]]


async def every(seconds: float, job: Job, outage: Outage, *, first: float = 0.0) -> None:
    """Run `job` after `first` seconds and then at every interval.

    An error ends one run, not the loop. The next run follows after 1 s, or after a sixtieth of a
    long interval. `outage` logs the errors, except those of a database that cannot be reached.
    """
    await asyncio.sleep(first)
    while True:
        pause = seconds
        try:
            await job()
            outage.worked()
        except Exception as error:  # noqa: BLE001
            if not database.is_outage(error):
                outage.failed(error)
            pause = min(seconds, max(RETRY_DELAY, seconds / 60))
        await asyncio.sleep(pause)


async def listen(receive: Job) -> None:
    """Run `receive`, which handles the messages of a channel, and restart it when it fails."""
    while True:
        try:
            await receive()
        except Exception as error:  # noqa: BLE001  whatever the layer's driver raises
            layer.failed(error)
        await asyncio.sleep(RETRY_DELAY)
