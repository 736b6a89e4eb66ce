"""What is left of the limits of users, read for all clients of the process at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection

from channels.db import database_sync_to_async
from django.conf import settings

from accounts.log_format import log_line
from generation import selectors
from generation.clock import clock
from generation.outages import cause_of, database
from generation.protocol import encode, limits_frame
from generation.selectors import Allowances
from generation.shutdown import cancel_and_wait

logger = logging.getLogger(__name__)

BATCH_DELAY = 0.1
"""Seconds to collect changes, so that one query reads the limits of all owners that changed."""

Publish = Callable[[int, str], None]
"""Takes an owner id and the `limits` frame."""


class LimitUpdates:
    """Knows the limits of the owners that have a client in this process."""

    def __init__(self) -> None:
        self.known: dict[int, Allowances] = {}
        self.changed: set[int] = set()
        """Owners whose limits were not read since a change."""
        self.reading: asyncio.Task[None] | None = None

    def read_soon(self, owner_id: int, publish: Publish) -> None:
        """Read the limits of an owner after BATCH_DELAY, and publish them."""
        self.changed.add(owner_id)
        if self.reading is None or self.reading.done():
            self.reading = asyncio.create_task(self.read_changed(publish), name="limits")

    def usage_changed(self, owner_id: int, publish: Publish) -> None:
        """Like `read_soon`; without shown limits the next `compare` is soon enough."""
        known = self.known.get(owner_id)
        if known is not None and selectors.shown_allowances(known):
            self.read_soon(owner_id, publish)

    async def read_changed(self, publish: Publish) -> None:
        while self.changed:
            await asyncio.sleep(BATCH_DELAY)
            owners, self.changed = self.changed, set()
            try:
                await self.read(owners, publish)
            except Exception as error:  # noqa: BLE001  `compare` reads them later
                if not database.is_outage(error):
                    logger.warning("%s", log_line("limits_unknown", cause=cause_of(error)))

    async def read(self, owners: Collection[int], publish: Publish) -> None:
        """Read the limits of these owners in one query, and publish a frame for each."""
        found = await database_sync_to_async(selectors.allowances_of)(owners, now=clock.now())
        for owner_id, allowances in found.items():
            self.known[owner_id] = allowances
            publish(owner_id, encode(limits_frame(selectors.shown_allowances(allowances))))

    def forget(self, owner_id: int) -> None:
        self.known.pop(owner_id, None)

    def most_connections(self, owner_id: int) -> int | None:
        """Connections that the owner may have; of an owner without one those of the settings."""
        known = self.known.get(owner_id)
        return (
            settings.CONNECTIONS_PER_PERSON if known is None else selectors.most_connections(known)
        )

    async def stop(self) -> None:
        self.changed.clear()
        reading, self.reading = self.reading, None
        await cancel_and_wait(reading)
