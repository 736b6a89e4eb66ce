"""What the listeners reach by themselves: a server whose frames are ready before anybody asks."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from tests.studio import free_port

HELLO = b"HTTP/1.1 101 .\r\n\r\n" + bytes([129, 16]) + b'{"type":"hello"}'
LIVE = bytes([129, 15]) + b'{"type":"live"}'


class Tap(asyncio.Protocol):
    """Greets the handshake, says `live` to whatever follows."""

    def __init__(self, taps: list[Tap]) -> None:
        self.taps = taps
        self.greeted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.taps.append(self)

    def data_received(self, data: bytes) -> None:
        self.transport.write(LIVE if self.greeted else HELLO)
        self.greeted = True

    def connection_lost(self, error: Exception | None) -> None:
        self.taps.remove(self)


def framed(text: bytes) -> bytes:
    """One WebSocket frame of a server, for texts of 126 bytes and more."""
    return bytes([129, 126]) + len(text).to_bytes(2, "big") + text


async def serve(pipe: Connection, port: int) -> None:
    """For each blob that is asked for: all of it to every socket; answers when that began."""
    loop = asyncio.get_running_loop()
    taps: list[Tap] = []
    await loop.create_server(lambda: Tap(taps), "127.0.0.1", port)
    pipe.send(None)
    while (blob := await loop.run_in_executor(None, pipe.recv)) is not None:
        began = time.monotonic_ns()
        for tap in taps:
            tap.transport.write(blob)
        pipe.send(began)


def run(pipe: Connection, port: int) -> None:
    asyncio.run(serve(pipe, port))


class Hose:
    def __init__(self, pipe: Connection, port: int) -> None:
        self.pipe = pipe
        self.port = port

    def pour(self, texts: list[bytes]) -> int:
        """Send these to every socket; the nanosecond in which that began."""
        self.pipe.send(b"".join(framed(text) for text in texts))
        began: int = self.pipe.recv()
        return began


@contextmanager
def hose() -> Iterator[Hose]:
    context, port = multiprocessing.get_context("spawn"), free_port()
    ours, theirs = context.Pipe()
    process = context.Process(target=run, args=(theirs, port), daemon=True)
    process.start()
    ours.recv()
    try:
        yield Hose(ours, port)
    finally:
        ours.send(None)
        process.join()
