"""A transport that records what an outbox sends."""

from __future__ import annotations

import asyncio

from generation.hub import SocketOutbox


class Transport:
    """Takes frames at once while it is open; who sends meanwhile waits."""

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
        """A lone surrogate is no text; whoever writes it fails."""
        return frame.encode().decode()

    async def close(self, code: int) -> None:
        self.closed.append(code)


async def sent(outbox: SocketOutbox) -> None:
    """Until its sender has nothing more to do."""
    if outbox.sender is not None:
        await outbox.sender
