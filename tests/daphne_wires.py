"""Daphne's factory without a network: connections that a test reads and writes."""

from __future__ import annotations

import asyncio
from typing import Any

from daphne.http_protocol import HTTPFactory
from daphne.server import Server
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from liujuan_site.connection_limits import ConnectionLimits
from liujuan_site.request_limits import RequestLimits, limit_connections

LIMITS = RequestLimits()
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
GET_LONG = GET.replace(b"/", b"/long", 1)
LONG = 20_000
BUFFER = 65_536
"""Bytes that a transport keeps before it pauses what produces them, as Twisted's does."""


class Wire(StringTransport):  # type: ignore[misc]
    """A connection as the reactor has it, without a network."""

    closed = False
    channel: Any = None
    reads = True
    """Whether the other side takes what is written."""
    paused = False

    def __init__(self, **address: Any) -> None:
        super().__init__(**address)
        self.news = asyncio.Event()

    def write(self, data: bytes) -> None:
        super().write(data)
        self.news.set()
        if not self.reads and not self.paused and len(self.value()) > BUFFER:
            self.paused = True
            self.producer.pauseProducing()

    def read_on(self) -> None:
        self.reads, self.paused = True, False
        self.producer.resumeProducing()

    async def until(self, count: int, text: bytes) -> None:
        """Wait until `text` was written so many times, or the connection is closed."""
        async with asyncio.timeout(30):
            while self.value().count(text) < count and not self.closed:
                self.news.clear()
                await self.news.wait()

    def connectionLost(self, reason: Any) -> None:
        self.closed = True
        self.news.set()
        self.channel.connectionLost(reason)

    def loseConnection(self) -> None:
        super().loseConnection()
        if not self.closed:
            self.connectionLost(None)

    def abortConnection(self) -> None:
        self.loseConnection()

    def send(self, *parts: bytes) -> None:
        for part in parts:
            if not self.closed:
                self.channel.dataReceived(part)

    @property
    def status(self) -> int:
        """Of the first answer; 0 without one."""
        words = self.value().split()
        return int(words[1]) if words else 0


class Site:
    """Daphne's factory with our channels, before an application that keeps what it was asked."""

    def __init__(self, *, most: int = 100, per_client: int = 0) -> None:
        self.asked: list[tuple[str, int]] = []
        self.wires: list[Wire] = []
        self.clock = Clock()
        self.connections = ConnectionLimits(most=most, per_client=per_client)
        self.server = Server(self.application, endpoints=["tcp:0"])
        self.server.connections = {}
        self.factory = HTTPFactory(self.server)
        self.factory.reactor = self.clock
        limit_connections(self.factory, LIMITS, self.connections)

    async def application(self, scope: Any, receive: Any, send: Any) -> None:
        size = 0
        while True:
            message = await receive()
            size += len(message["body"])
            if not message["more_body"]:
                break
        self.asked.append((scope["path"], size))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        body = b"x" * LONG if scope["path"] == "/long" else b"ok"
        await send({"type": "http.response.body", "body": body})

    def connect(self, host: str = "192.0.2.7") -> Wire:
        wire = Wire(peerAddress=IPv4Address("TCP", host, 4711))
        wire.channel = self.factory.buildProtocol(wire.getPeer())
        self.wires.append(wire)
        wire.channel.makeConnection(wire)
        return wire

    async def answers(self, *wires: Wire) -> list[int]:
        """The status of each, once all of them were answered."""
        for wire in wires:
            await wire.until(1, b"HTTP/1.1 ")
        return [wire.status for wire in wires]
