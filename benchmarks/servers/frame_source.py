"""A server with prepared frames, to measure the capacity of the listeners."""

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


class SourceSocket(asyncio.Protocol):
    """Responds to the handshake with `hello`, and to all later data with `live`."""

    def __init__(self, sockets: list[SourceSocket]) -> None:
        self.sockets = sockets
        self.upgraded = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.sockets.append(self)

    def data_received(self, data: bytes) -> None:
        self.transport.write(LIVE if self.upgraded else HELLO)
        self.upgraded = True

    def connection_lost(self, error: Exception | None) -> None:
        self.sockets.remove(self)


def framed(text: bytes) -> bytes:
    """One server-to-client WebSocket frame, for texts of at least 126 bytes."""
    return bytes([129, 126]) + len(text).to_bytes(2, "big") + text


async def serve(pipe: Connection, port: int) -> None:
    """Send every blob from the pipe to all sockets; responds with the nanosecond of the start."""
    loop = asyncio.get_running_loop()
    sockets: list[SourceSocket] = []
    await loop.create_server(lambda: SourceSocket(sockets), "127.0.0.1", port)
    pipe.send(None)
    while (blob := await loop.run_in_executor(None, pipe.recv)) is not None:
        began = time.monotonic_ns()
        for socket in sockets:
            socket.transport.write(blob)
        pipe.send(began)


def run(pipe: Connection, port: int) -> None:
    asyncio.run(serve(pipe, port))


class FrameSource:
    def __init__(self, pipe: Connection, port: int) -> None:
        self.pipe = pipe
        self.port = port

    def send_all(self, texts: list[bytes]) -> int:
        """Send the texts to every socket; the nanosecond of the start."""
        self.pipe.send(b"".join(framed(text) for text in texts))
        began: int = self.pipe.recv()
        return began


@contextmanager
def frame_source() -> Iterator[FrameSource]:
    context, port = multiprocessing.get_context("spawn"), free_port()
    ours, theirs = context.Pipe()
    process = context.Process(target=run, args=(theirs, port), daemon=True)
    process.start()
    ours.recv()
    try:
        yield FrameSource(ours, port)
    finally:
        ours.send(None)
        process.join()
