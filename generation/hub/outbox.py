"""What one reader still has to be told: a bounded queue; a socket's has a sender of its own."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from generation.choices import CloseCode
from generation.limits import MAX_QUEUED_FRAMES
from generation.selectors import PAGE_EVENTS
from generation.teardown import cancel_and_wait

SEND_TIMEOUT = 30.0
"""Seconds one frame may take to leave before the reader counts as gone."""


INTERNAL_ERROR = 1011
"""The protocol's own code: the page reconnects and reads the log."""

logger = logging.getLogger(__name__)


class Outbox(ABC):
    """Frames of one reader in order; `cursors` is the highest seq queued per attached task."""

    def __init__(self, *, owner_id: int, close: Callable[[int], Coroutine[Any, Any, None]]) -> None:
        self.owner_id = owner_id
        self.close = close
        # a list and an event only while they are needed: most readers are idle
        self.frames: list[str] = []
        self.room: asyncio.Event | None = None
        self.reading: asyncio.Lock | None = None
        self.cursors: dict[str, int] = {}
        self.seen: dict[str, int] = {}
        """The newest event that the doorbell told of, whether or not it was queued."""
        self.replays: dict[str, asyncio.Task[None]] = {}
        self.groups: set[int] = set()
        self.hello_sent = False
        """Whether it was put its first frame, `hello`: what is told of the line comes after it."""
        self.collection = 0
        """The newest revision of its owner's collection that it was told."""
        self.models = ""
        """The newest `models` frame it was offered: the same one again would be no news."""

    def offer_collection(self, revision: int, frame: str) -> None:
        """Queue a newer revision; without room, or before `hello`, it is told later."""
        if self.hello_sent and revision > self.collection and self.offer(frame):
            self.collection = revision

    @abstractmethod
    def wake(self) -> None:
        """Something was queued."""

    @abstractmethod
    def notify(self, task_id: str, frame: str) -> None:
        """Tell of a new task of the same person."""

    def offer(self, frame: str) -> bool:
        """Queue `frame` if there is room."""
        if len(self.frames) >= MAX_QUEUED_FRAMES:
            return False
        self.frames.append(frame)
        self.wake()
        return True

    def try_send(self, *frames: str) -> bool:
        """Whether they are with the reader: nothing was before them, and nothing to wait for."""
        return False

    async def put(self, frame: str) -> None:
        """Queue `frame`, waiting for room."""
        self.hello_sent = True
        while not self.offer(frame):
            self.room = self.room or asyncio.Event()
            self.room.clear()
            await self.room.wait()

    def reading_lock(self) -> asyncio.Lock:
        """Held by whoever reads the log for him."""
        if self.reading is None:
            self.reading = asyncio.Lock()
        return self.reading

    def page_size(self) -> int:
        """Events of the log that he may take at once."""
        return MAX_QUEUED_FRAMES

    async def wait_until_empty(self) -> None:
        """Return when nothing waits here any more; at once, if nobody will ever take it."""
        while self.frames:
            self.room = self.room or asyncio.Event()
            self.room.clear()
            await self.room.wait()

    def notify_room(self) -> None:
        if self.room is not None:
            self.room.set()

    def attached_tasks(self) -> list[str]:
        """Every task that the hub may tell of."""
        return list(self.cursors)

    def background_tasks(self) -> list[asyncio.Task[None]]:
        return list(self.replays.values())

    async def stop(self) -> None:
        """End what still works for this reader; what was queued is dropped (the log has it)."""
        await cancel_and_wait(*self.background_tasks())


def cannot_send_now(*frames: str) -> bool:
    """Under a server of which nobody knows whether it would have to wait."""
    return False


class SocketOutbox(Outbox):
    """A socket's: what is queued is sent, and while its reader keeps up nothing is queued.

    `send_now` gives whether it took some frames; `send` waits until the reader takes one.
    """

    def __init__(
        self,
        *,
        owner_id: int,
        send: Callable[[str], Awaitable[None]],
        close: Callable[[int], Coroutine[Any, Any, None]],
        send_now: Callable[..., bool] = cannot_send_now,
    ) -> None:
        super().__init__(owner_id=owner_id, close=close)
        self.send = send
        self.send_now = send_now
        self.sender: asyncio.Task[None] | None = None
        self.closed = False
        self.held: list[tuple[str, str]] | None = None

    def offer(self, frame: str) -> bool:
        # for who is gone nothing waits: whoever puts it there must get on and leave too
        return self.closed or self.try_send(frame) or super().offer(frame)

    def try_send(self, *frames: str) -> bool:
        if self.frames or self.sender is not None or self.closed:
            return False
        try:
            return self.send_now(*frames)
        except Exception:  # noqa: BLE001  the sender meets it too, and ends the socket
            return False

    def page_size(self) -> int:
        # while he keeps up nothing is queued: what is read leaves at once
        return PAGE_EVENTS if self.sender is None else MAX_QUEUED_FRAMES

    async def run(self) -> None:
        """Send what is queued; a reader that holds us up is closed."""
        while self.frames:
            frame = self.frames.pop(0)
            self.notify_room()
            try:
                if self.send_now(frame):
                    continue
                async with asyncio.timeout(SEND_TIMEOUT):
                    await self.send(frame)
            except TimeoutError:
                await self.end(CloseCode.TOO_SLOW)
                return
            except Exception:
                logger.exception("a socket of owner %s cannot be written to", self.owner_id)
                await self.end(INTERNAL_ERROR)
                return
        self.sender = None

    async def end(self, code: int) -> None:
        """Nothing more is sent: whoever comes back reads the log."""
        self.closed = True
        self.frames.clear()
        self.notify_room()
        await self.close(code)

    def wake(self) -> None:
        if self.sender is None and not self.closed:
            self.sender = asyncio.create_task(self.run())

    def notify(self, task_id: str, frame: str) -> None:
        """Tell of a new task of another tab; lost is not wrong, the next `hello` names it."""
        if self.held is not None:
            self.held.append((task_id, frame))
        elif task_id not in self.cursors:
            self.offer(frame)

    @contextmanager
    def holding_notices(self) -> Iterator[None]:
        """While this socket submits, a notice may be of its own task: its `ack` comes first."""
        self.held = []
        try:
            yield
        finally:
            held, self.held = self.held, None
            for task_id, frame in held:
                self.notify(task_id, frame)

    def background_tasks(self) -> list[asyncio.Task[None]]:
        return [*super().background_tasks(), *([self.sender] if self.sender else [])]

    async def stop(self) -> None:
        self.closed = True
        await super().stop()
