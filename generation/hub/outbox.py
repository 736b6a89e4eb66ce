"""The bounded queue of the frames for one client."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any

from generation.limits import MAX_QUEUED_FRAMES
from generation.teardown import cancel_and_wait


class Outbox(ABC):
    """Frames for one client, in order; `cursors`: {attached task_id: highest seq queued}."""

    def __init__(self, *, owner_id: int, close: Callable[[int], Coroutine[Any, Any, None]]) -> None:
        self.owner_id = owner_id
        self.close = close
        # event and lock are made when needed, to save memory: most clients are idle
        self.frames: list[str] = []
        self.room: asyncio.Event | None = None
        self.reading: asyncio.Lock | None = None
        self.cursors: dict[str, int] = {}
        self.seen: dict[str, int] = {}
        """{task_id: newest seq that was broadcast}, whether or not the event was queued."""
        self.replays: dict[str, asyncio.Task[None]] = {}
        self.groups: set[int] = set()
        self.hello_sent = False
        """Whether `hello`, the first frame, was queued; queue updates must come after it."""
        self.collection = 0
        """The newest revision of its owner's collection that was queued."""
        self.models = ""
        """The newest `models` frame that was queued; an equal one is not sent again."""

    def offer_collection(self, revision: int, frame: str) -> None:
        """Queue a newer revision. If full, or before `hello`, `compare_collections` retries."""
        if self.hello_sent and revision > self.collection and self.offer(frame):
            self.collection = revision

    @abstractmethod
    def wake(self) -> None:
        """Start sending; called after a frame was queued."""

    @abstractmethod
    def notify(self, task_id: str, frame: str) -> None:
        """Handle a new task of the same owner; `frame` is its `task` frame."""

    def offer(self, frame: str) -> bool:
        """Queue `frame`; False if the outbox is full."""
        if len(self.frames) >= MAX_QUEUED_FRAMES:
            return False
        self.frames.append(frame)
        self.wake()
        return True

    def try_send(self, *frames: str) -> bool:
        """Send `frames` at once; False if that would overtake queued frames or block."""
        return False

    async def put(self, frame: str) -> None:
        """Queue `frame`, waiting for room."""
        self.hello_sent = True
        while not self.offer(frame):
            self.room = self.room or asyncio.Event()
            self.room.clear()
            await self.room.wait()

    def reading_lock(self) -> asyncio.Lock:
        """Lock that is held while the log is read for this client."""
        if self.reading is None:
            self.reading = asyncio.Lock()
        return self.reading

    def page_size(self) -> int:
        """Number of log events to read for this client at once."""
        return MAX_QUEUED_FRAMES

    async def wait_until_empty(self) -> None:
        """Wait until no frame is queued; a closed socket drops its frames."""
        while self.frames:
            self.room = self.room or asyncio.Event()
            self.room.clear()
            await self.room.wait()

    def notify_room(self) -> None:
        if self.room is not None:
            self.room.set()

    def attached_tasks(self) -> list[str]:
        """Ids of the tasks for which the hub has this outbox as a watcher."""
        return list(self.cursors)

    def background_tasks(self) -> list[asyncio.Task[None]]:
        return list(self.replays.values())

    async def stop(self) -> None:
        """Cancel this client's background tasks. Queued frames are dropped; the log has them."""
        await cancel_and_wait(*self.background_tasks())
