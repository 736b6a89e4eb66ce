"""A transport that records what an outbox sends."""

from __future__ import annotations

import asyncio

from generation.hub import SocketOutbox


class Transport:
    """Accepts frames at once while it is open; otherwise send() waits."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.frames: list[str] = []
        self.waited: list[str] = []
        self.closed: list[int] = []
        self.outbox = SocketOutbox(
            owner_id=1, send=self.send, send_now=self.send_now, close=self.close
        )

    def send_now(self, *frames: str) -> bool:
        if self.open.is_set():
            self.frames += map(self.written, frames)
        return self.open.is_set()

    async def send(self, frame: str) -> None:
        await self.open.wait()
        self.waited.append(frame)
        self.frames.append(self.written(frame))

    def written(self, frame: str) -> str:
        """Fails for a lone surrogate, as a real transport does."""
        return frame.encode().decode()

    async def close(self, code: int) -> None:
        self.closed.append(code)


async def sent(outbox: SocketOutbox) -> None:
    """Wait until the sender is idle."""
    if outbox.sender is not None:
        await outbox.sender
