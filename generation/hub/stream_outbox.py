"""The outbox of an event stream: the stream fetches all queued frames at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any

from generation.hub.outbox import Outbox


class StreamOutbox(Outbox):
    """Follows every task of its owner; `found` holds those that are still to be attached.

    Frames are fetched, not pushed: at most MAX_QUEUED_FRAMES wait for a slow client.
    """

    transport = "stream"
    follows_new_tasks = True

    def __init__(
        self,
        *,
        owner_id: int,
        close: Callable[[int], Coroutine[Any, Any, None]],
        known: Mapping[str, int],
    ) -> None:
        super().__init__(owner_id=owner_id, close=close)
        self.has_frames = asyncio.Event()
        # set before the hub can `discover` these tasks, which would set their cursor to 0
        self.found: dict[str, int] = dict(known)
        """{task_id: seq that the client has already}."""
        self.seen_tasks: set[str] = set(known)
        """Ids of tasks that `discover` ignores; a finished task must not be attached again."""
        self.has_found = asyncio.Event()

    def wake(self) -> None:
        self.has_frames.set()

    def notify(self, task_id: str, frame: str) -> None:
        """Follow the new task; a stream sends the task itself instead of `frame`."""
        if task_id not in self.seen_tasks:
            self.seen_tasks.add(task_id)
            self.found[task_id] = 0
            self.has_found.set()

    def discover(self, task_ids: Collection[str]) -> None:
        for task_id in task_ids:
            self.notify(task_id, "")
        # others cannot be discovered again
        self.seen_tasks &= {*task_ids, *self.found, *self.cursors()}

    def expect(self, task_ids: Collection[str], *, instead_of: Collection[str]) -> None:
        """Attach `task_ids` instead of `instead_of`; a seq that the client has is kept."""
        for task_id in set(instead_of).difference(task_ids):
            self.found.pop(task_id, None)
        self.seen_tasks.update(task_ids)
        self.found = dict.fromkeys(task_ids, 0) | self.found

    async def fetch(self, *, within: float) -> list[str]:
        """Wait up to `within` seconds for frames; return all that are queued, or none."""
        try:
            async with asyncio.timeout(within):
                await self.has_frames.wait()
        except TimeoutError:
            return []
        self.has_frames.clear()
        frames, self.frames = self.frames, []
        self.notify_room()
        return frames

    def known(self) -> dict[str, int]:
        """{task_id: seq} that the client has once it has received the frames fetched last."""
        return self.found | self.cursors()
