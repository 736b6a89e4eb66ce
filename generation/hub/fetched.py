"""What a reader over HTTP still has to be told: he fetches all of it at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from generation.hub.outbox import Outbox


class Fetched(Outbox):
    """Follows every task of its owner; `found` are those that it has to be attached to yet.

    Nothing is pushed: while its reader does not fetch, at most QUEUE_FRAMES wait here.
    """

    def __init__(self, *, owner_id: int, close: Callable[[int], Coroutine[Any, Any, None]]) -> None:
        super().__init__(owner_id=owner_id, send=self.never_sent, close=close)
        self.news = asyncio.Event()
        self.found: dict[str, int] = {}
        """Task id → the seq that its reader knows already."""
        self.search = asyncio.Event()

    async def never_sent(self, frame: str) -> None:
        raise NotImplementedError

    def wake(self) -> None:
        self.news.set()

    def notify(self, task_id: str, frame: str) -> None:
        """A new task is not only told of, but followed."""
        self.find(task_id)

    def find(self, task_id: str, after: int = 0) -> None:
        if task_id not in self.cursors and task_id not in self.found:
            self.found[task_id] = after
            self.search.set()

    async def fetch(self, *, within: float) -> list[str]:
        """Everything that is queued, once there is something; nothing after `within` seconds."""
        try:
            async with asyncio.timeout(within):
                await self.news.wait()
        except TimeoutError:
            return []
        self.news.clear()
        frames, self.frames = self.frames, []
        if self.room is not None:
            self.room.set()
        return frames

    @property
    def known(self) -> dict[str, int]:
        """What the reader has been told when he has what was fetched last."""
        return self.found | self.cursors
