"""The outbox of a WebSocket: it sends the frames, and queues them only while the client is slow."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from generation import process_metrics
from generation.hub.outbox import Outbox
from generation.limits import MAX_QUEUED_FRAMES
from generation.protocol.close_codes import CloseCode
from generation.selectors import PAGE_EVENTS
from generation.shutdown import cancel_and_wait

SEND_TIMEOUT = 30.0
"""Seconds that sending one frame may take before the socket is closed."""

INTERNAL_ERROR = 1011
"""Close code of the WebSocket standard; the client reconnects and reads the log."""

logger = logging.getLogger(__name__)


def cannot_send_now(*frames: str) -> bool:
    """`send_now` of a server that does not say whether a write would block."""
    return False


class SocketOutbox(Outbox):
    """`send_now` returns whether the transport took the frames without blocking.

    `send` waits until the transport takes one.
    """

    transport = "socket"

    __slots__ = ("closed", "held", "send", "send_now", "sender")

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
                process_metrics.SLOW_READERS_CLOSED.labels("socket").inc()
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
        elif not self.is_attached(task_id):
            self.offer(frame)

    @contextmanager
    def holding_notices(self) -> Iterator[None]:
        """Delay notices: `hello` is the first frame, and `ack` precedes its own task's notice."""
        self.held = []
        try:
            yield
        finally:
            held, self.held = self.held, None
            for task_id, frame in held:
                self.notify(task_id, frame)

    async def stop(self) -> None:
        self.closed = True
        await cancel_and_wait(self.sender, *self.replays)
