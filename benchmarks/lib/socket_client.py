"""A minimal WebSocket client, so that thousands of them fit into one process."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
LOST = 1006
"""Close code of a connection that ended without a close frame."""

TIMEOUT = 60.0
T = TypeVar("T")


class Refused(Exception):
    """The server did not switch to the WebSocket protocol."""


class Client(asyncio.Protocol):
    """One socket; received text goes to `on_text` and to the futures of `next_text`."""

    def __init__(self, request: bytes) -> None:
        loop = asyncio.get_running_loop()
        self.request = request
        self.buffer = bytearray()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[int] = loop.create_future()
        self.close_code = LOST
        self.waiting: dict[bytes, asyncio.Future[bytes]] = {}
        self.on_text: Callable[[bytes], None] = lambda text: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.opened.done() and not self.read_answer():
            return
        used = self.read_frames()
        del self.buffer[:used]

    def read_answer(self) -> bool:
        """Whether the handshake is over and was accepted."""
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        status = bytes(self.buffer.partition(b"\r\n")[0])
        del self.buffer[: end + 4]
        if b" 101 " not in status:
            self.opened.set_exception(Refused(status.decode()))
            self.transport.close()
            return False
        self.opened.set_result(None)
        return True

    def read_frames(self) -> int:
        """Handle every complete frame; the number of bytes."""
        buffer, at = self.buffer, 0
        while len(buffer) - at >= 2:
            size, begins = buffer[at + 1] & 127, at + 2
            if size > 125:
                width = 2 if size == 126 else 8
                begins += width
                if len(buffer) < begins:
                    break
                size = int.from_bytes(buffer[begins - width : begins], "big")
            if len(buffer) < begins + size:
                break
            self.take(buffer[at] & 15, bytes(buffer[begins : begins + size]))
            at = begins + size
        return at

    def take(self, kind: int, payload: bytes) -> None:
        if kind == TEXT:
            self.on_text(payload)
            for part in [part for part in self.waiting if part in payload]:
                future = self.waiting.pop(part)
                if not future.done():
                    future.set_result(payload)
        elif kind == PING:
            self.transport.write(frame(PONG, payload))
        elif kind == CLOSE:
            self.close_code = int.from_bytes(payload[:2], "big") or LOST
            self.transport.write(frame(CLOSE, payload[:2]))
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.closed.set_result(self.close_code)
        if not self.opened.done():
            self.opened.set_exception(Refused("the connection was lost"))
            # mark it as retrieved: a caller that resets during the handshake does not await it
            self.opened.exception()
        for future in self.waiting.values():
            future.cancel()

    def next_text(self, part: bytes) -> asyncio.Future[bytes]:
        """The next text that contains `part`; call it before that text can arrive."""
        return self.waiting.setdefault(part, asyncio.get_running_loop().create_future())

    def send(self, **message: Any) -> None:
        self.transport.write(frame(TEXT, json.dumps(message).encode()))

    def reset(self) -> None:
        """End with RST, like a phone that loses its network."""
        if not self.transport.is_closing():
            raw = self.transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


def frame(kind: int, payload: bytes) -> bytes:
    size = len(payload)
    head = struct.pack("!BB", 128 | kind, 128 | size) if size < 126 else b""
    if not head:
        head = struct.pack("!BBH", 128 | kind, 128 | 126, size)
    # a mask of zeros is valid and leaves the payload unchanged
    return head + bytes(4) + payload


def handshake(port: int, headers: Mapping[str, str]) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        "GET /ws/generate HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        *("Upgrade: websocket", "Connection: Upgrade"),
        *("Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"),
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


async def dial(
    port: int, headers: Mapping[str, str], *, receive_buffer: int | None = None
) -> Client:
    """A client that has sent its handshake; await `opened`."""
    raw = socket.socket()
    raw.setblocking(False)
    if receive_buffer is not None:
        # otherwise the kernel buffers megabytes for a client that reads nothing
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(raw, ("127.0.0.1", port))
    _transport, client = await loop.create_connection(
        lambda: Client(handshake(port, headers)), sock=raw
    )
    return client


async def connect(
    port: int, headers: Mapping[str, str], *, receive_buffer: int | None = None
) -> Client:
    """A client that has received `hello`."""
    client = await dial(port, headers, receive_buffer=receive_buffer)
    greeted = client.next_text(b'"hello"')
    await client.opened
    await greeted
    return client


async def crowd(size: int, one: Callable[[int], Awaitable[T]], *, at_once: int = 50) -> list[T]:
    """Results of `one(0)` … `one(size - 1)` in order, at most `at_once` concurrent."""
    gate = asyncio.Semaphore(at_once)

    async def guarded(number: int) -> T:
        async with gate:
            async with asyncio.timeout(TIMEOUT):
                return await one(number)

    return list(await asyncio.gather(*(guarded(number) for number in range(size))))
