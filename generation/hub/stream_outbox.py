"""What a reader over HTTP still has to be told: he fetches all of it at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any

from generation.hub.outbox import Outbox


class StreamOutbox(Outbox):
    """Follows every task of its owner; `found` are those that it has to be attached to yet.

    Nothing is pushed: while its reader does not fetch, at most MAX_QUEUED_FRAMES wait here.
    """

    def __init__(
        self,
        *,
        owner_id: int,
        close: Callable[[int], Coroutine[Any, Any, None]],
        known: Mapping[str, int],
    ) -> None:
        super().__init__(owner_id=owner_id, close=close)
        self.has_frames = asyncio.Event()
        # before anybody can tell of these tasks: a cursor that was given must not become 0
        self.found: dict[str, int] = dict(known)
        """Task id → the seq that its reader knows already."""
        self.seen_tasks: set[str] = set(known)
        """Tasks that need not be found, or not again when they are over."""
        self.has_found = asyncio.Event()

    def wake(self) -> None:
        self.has_frames.set()

    def notify(self, task_id: str, frame: str) -> None:
        """A new task is not only told of, but followed."""
        self.discover(task_id)

    def discover(self, task_id: str) -> None:
        if task_id not in self.seen_tasks:
            self.seen_tasks.add(task_id)
            self.found[task_id] = 0
            self.has_found.set()

    def expect(self, task_ids: Collection[str], *, instead_of: Collection[str]) -> None:
        """Of those that were known, and of its owner's others, these will be attached to."""
        for task_id in instead_of:
            if task_id not in task_ids:
                self.found.pop(task_id, None)
        for task_id in task_ids:
            self.seen_tasks.add(task_id)
            self.found.setdefault(task_id, 0)

    def forget_seen(self, task_ids: Collection[str]) -> None:
        """Of no other tasks than these will anybody tell again."""
        self.seen_tasks &= {*task_ids, *self.found, *self.cursors}

    def attached_tasks(self) -> list[str]:
        return list(self.known)

    async def fetch(self, *, within: float) -> list[str]:
        """Everything that is queued, once there is something; nothing after `within` seconds."""
        try:
            async with asyncio.timeout(within):
                await self.has_frames.wait()
        except TimeoutError:
            return []
        self.has_frames.clear()
        frames, self.frames = self.frames, []
        self.notify_room()
        return frames

    @property
    def known(self) -> dict[str, int]:
        """What the reader has been told when he has what was fetched last."""
        return self.found | self.cursors
