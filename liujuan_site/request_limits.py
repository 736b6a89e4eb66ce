"""Daphne's HTTP channel with limits on size, time and the number of connections.

Twisted's timeout starts again with each byte, so one byte a minute keeps a request open for ever,
and it spools bodies of any size. Here a timeout covers the whole request, and too large a body is
refused before it is read. The nginx in deploy/ does the same; these limits hold without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twisted.web import http

from accounts.client_address import client_network
from generation import proxy_probe
from liujuan_site.connection_limits import ConnectionLimits, TrackedConnection, peer_host

SMALL_BODY = 16 * 1024
"""Bytes that every path accepts."""

LARGE_BODY_PATHS = (
    # messages, and selections of many pictures
    *("/messages/", "/collection/", "/gallery/", "/trash/"),
    *("/api/", "/v1/", "/mcp", "/admin/", f"/{proxy_probe.PATH}"),
)
"""Path prefixes that accept more."""

PROBES = ("/healthz", "/readyz")
"""Paths that are answered even if the limit on connections is reached."""

REASONS = {408: b"Request Timeout", 413: b"Content Too Large", 503: b"Service Unavailable"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLimits:
    body: int = 256 * 1024
    """Bytes for LARGE_BODY_PATHS; JSON messages have a lower limit of 64 KiB with a response that
    explains it."""
    header_seconds: float = 20.0
    """From the opening of a connection, or a later request's first byte, to the last header."""
    body_seconds: float = 60.0
    refused_seconds: float = 5.0
    """For the headers on a connection above the limit, which will be refused."""
    linger_seconds: float = 2.0
    """Between an error response and closing: input is discarded so that the client can read it."""
    unread_seconds: float = 120.0
    """For a pipelining client to read its responses before the next request is handled."""
    base_path: str = ""

    def body_of(self, uri: bytes) -> int:
        """Maximum size in bytes of the body of a request to `uri`."""
        is_large = self.path_of(uri).startswith(LARGE_BODY_PATHS)
        return self.body if is_large else min(SMALL_BODY, self.body)

    def is_probe(self, uri: bytes) -> bool:
        return self.path_of(uri) in PROBES

    def path_of(self, uri: bytes) -> str:
        return uri.decode("latin-1").partition("?")[0].removeprefix(self.base_path)


class LimitedChannel(http.HTTPChannel):  # type: ignore[misc,unused-ignore]
    """An HTTP connection, until it is closed or becomes a WebSocket."""

    maxHeaders = 100

    def __init__(self, limits: RequestLimits, connections: ConnectionLimits) -> None:
        super().__init__()
        self.limits = limits
        self.connections = connections
        self.deadline: Any = None
        self.tracked = TrackedConnection("")
        self.has_room = True
        self.refused = False
        self.received = 0
        """Bytes of the body received so far."""
        self.unread: Any = None
        """The request answered last, while the transport accepts no more data."""

    def connectionMade(self) -> None:
        super().connectionMade()
        self.tracked = TrackedConnection(client_network(peer_host(self.transport)))
        count_until_lost(self.transport, self.connections, self.tracked)
        self.has_room = self.connections.open(self.tracked, self.evict)
        limits = self.limits
        self.wait(limits.header_seconds if self.has_room else limits.refused_seconds)

    def wait(self, seconds: float) -> None:
        self.stop_waiting()
        self.deadline = self.callLater(seconds, self.give_up)

    def stop_waiting(self) -> None:
        deadline, self.deadline = self.deadline, None
        if deadline is not None and deadline.active():
            deadline.cancel()

    def give_up(self) -> None:
        if self.refused:
            self.transport.loseConnection()
        elif self.requests:
            self.refuse(408)
        else:
            self.transport.abortConnection()

    def evict(self) -> None:
        self.stop_waiting()
        self.transport.abortConnection()

    def refuse(self, status: int) -> None:
        """Respond without Django, and close the connection after `linger_seconds`."""
        self.refused = True
        self.connections.note_busy(self.tracked)
        reason = REASONS[status]
        head = b"HTTP/1.1 %d %s\r\nConnection: close\r\n" % (status, reason)
        retry = b"Retry-After: 5\r\n" if status == 503 else b""
        kind = b"Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(reason)
        self.transport.write(head + retry + kind + reason)
        self.wait(self.limits.linger_seconds)

    def dataReceived(self, data: bytes) -> None:
        if self.refused:
            return
        if self.deadline is None and not self._handlingRequest:
            self.wait(self.limits.header_seconds)
        super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        if not self.refused:
            super().lineReceived(line)

    def rawDataReceived(self, data: bytes) -> None:
        if self.refused:
            return
        if not self._handlingRequest:
            self.received += len(data)
            if self.length is None and self.received > self.limits.body_of(self._path):
                self.refuse(413)
                return
        super().rawDataReceived(data)

    def allHeadersReceived(self) -> None:
        if not self.has_room and not self.limits.is_probe(self._path):
            self.refuse(503)
        elif (self.length or 0) > self.limits.body_of(self._path):
            self.refuse(413)
        else:
            self.received = 0
            self.wait(self.limits.body_seconds)
            super().allHeadersReceived()

    def allContentReceived(self) -> None:
        if self.refused:
            return
        self.stop_waiting()
        self.connections.note_busy(self.tracked)
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:
        """Handle the next pipelined request only after earlier responses were sent.

        Otherwise a client could send hundreds of requests and read nothing, and all responses
        would stay in memory.
        """
        if self.persistent:
            self.connections.note_idle(self.tracked, self.evict)
        if self.persistent and self._waitingForTransport:
            self.unread = request
            self.stop_waiting()
            self.deadline = self.callLater(self.limits.unread_seconds, self.evict)
        else:
            super().requestDone(request)

    def resumeProducing(self) -> None:
        super().resumeProducing()
        request, self.unread = self.unread, None
        if request is not None:
            self.stop_waiting()
            super().requestDone(request)

    def connectionLost(self, reason: Any) -> None:
        self.stop_waiting()
        if self.unread is not None:
            # Daphne has finished it already
            self.requests.remove(self.unread)
            self.unread = None
        super().connectionLost(reason)


def count_until_lost(
    transport: Any, connections: ConnectionLimits, tracked: TrackedConnection
) -> None:
    """Call `connections.close` when the transport is lost.

    The channel is not notified itself once the connection has become a WebSocket.
    """
    lose = transport.connectionLost

    def lost(reason: Any) -> None:
        del transport.connectionLost
        connections.close(tracked)
        lose(reason)

    transport.connectionLost = lost


def limit_connections(factory: Any, limits: RequestLimits, connections: ConnectionLimits) -> None:
    """Make Daphne's `factory` create channels with these limits."""
    factory.protocol = lambda: LimitedChannel(limits, connections)
