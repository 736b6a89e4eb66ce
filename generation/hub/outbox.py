"""Bounded queues of the frames for one client; a socket's outbox also sends them."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from generation.limits import MAX_QUEUED_FRAMES
from generation.protocol.close_codes import CloseCode
from generation.selectors import PAGE_EVENTS
from generation.teardown import cancel_and_wait

SEND_TIMEOUT = 30.0
"""Seconds that sending one frame may take before the socket is closed."""

INTERNAL_ERROR = 1011
"""Close code of the WebSocket standard; the client reconnects and reads the log."""

logger = logging.getLogger(__name__)


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


def cannot_send_now(*frames: str) -> bool:
    """`send_now` of a server that does not say whether a write would block."""
    return False


class SocketOutbox(Outbox):
    """Sends frames to a WebSocket; queues them only while the client is slow.

    `send_now` returns whether the transport took the frames without blocking; `send` waits until
    the transport takes one.
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
        # client disconnected: drop the frame so that producers never block
        return self.closed or self.try_send(frame) or super().offer(frame)

    def try_send(self, *frames: str) -> bool:
        if self.frames or self.sender is not None or self.closed:
            return False
        try:
            return self.send_now(*frames)
        except Exception:  # noqa: BLE001  `run` gets the same error and closes the socket
            return False

    def page_size(self) -> int:
        # without a sender no frame is queued, so a large page leaves at once
        return PAGE_EVENTS if self.sender is None else MAX_QUEUED_FRAMES

    async def run(self) -> None:
        """Send the queued frames; close the socket if one takes longer than SEND_TIMEOUT."""
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
        """Drop the queued frames and close the socket; after a reconnect the log is read."""
        self.closed = True
        self.frames.clear()
        self.notify_room()
        await self.close(code)

    def wake(self) -> None:
        if self.sender is None and not self.closed:
            self.sender = asyncio.create_task(self.run())

    def notify(self, task_id: str, frame: str) -> None:
        """Queue the `task` frame of a task from another tab; if full, `hello` names it later."""
        if self.held is not None:
            self.held.append((task_id, frame))
        elif task_id not in self.cursors:
            self.offer(frame)

    @contextmanager
    def holding_notices(self) -> Iterator[None]:
        """Delay notices while this socket submits, so that `ack` precedes its own task's notice."""
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
