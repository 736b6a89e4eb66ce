"""Wakes requests of review pages when staff has decided or a picture was stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from channels.db import database_sync_to_async

from generation import broadcast, selectors
from generation.hub.groups import GroupMemberships

MAX_WAITING = 6
"""Requests of one reviewer that wait at once, one per open page; one more ends the oldest."""


@dataclass(frozen=True, slots=True, eq=False)
class NewsWaiter:
    """A request of `reviewer_id` that knows everything up to `cursor`; see `review_cursor`."""

    reviewer_id: int
    cursor: tuple[int, int]
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class ReviewUpdates:
    """The requests of this process that wait for news, oldest first."""

    def __init__(self) -> None:
        self.waiting: list[NewsWaiter] = []

    @asynccontextmanager
    async def waiter(
        self, reviewer_id: int, cursor: tuple[int, int], groups: GroupMemberships
    ) -> AsyncGenerator[asyncio.Event]:
        """An event that is set by the next news; joins the group before the caller reads."""
        own = [each for each in self.waiting if each.reviewer_id == reviewer_id]
        for surplus in own[: max(0, len(own) + 1 - MAX_WAITING)]:
            surplus.changed.set()
        waiter = NewsWaiter(reviewer_id, cursor)
        self.waiting.append(waiter)
        try:
            await groups.join(broadcast.REVIEWERS)
            yield waiter.changed
        finally:
            self.waiting.remove(waiter)
            groups.release(broadcast.REVIEWERS)

    def wake(self) -> None:
        for waiter in self.waiting:
            waiter.changed.set()

    async def compare(self) -> None:
        """Wake the requests that do not know the newest decision and picture; one query if any.

        So new pictures appear, and decisions whose message was lost.
        """
        if not self.waiting:
            return
        newest = await database_sync_to_async(selectors.review_cursor)()
        for waiter in self.waiting:
            if waiter.cursor != newest:
                waiter.changed.set()
