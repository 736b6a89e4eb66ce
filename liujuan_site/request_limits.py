"""Daphne's HTTP channel with limits on size and time, and a place among the other connections.

Twisted waits for the next byte, so that one byte a minute keeps a request open for ever, and
spools bodies of any size. Here a request has a time as a whole, and a body is refused before it
is read. The nginx of deploy/ does the same in front; these limits hold without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twisted.web import http

from accounts.client_address import client_network
from liujuan_site.connection_limits import ConnectionLimits, TrackedConnection, peer_host

SMALL = 16 * 1024
SMALL_BODIES = ("/accounts/", "/i18n/", "/static/", "/healthz", "/readyz")
"""Paths below which no larger body makes sense."""

PROBES = ("/healthz", "/readyz")
"""Answered also where no place is left."""

REASONS = {408: b"Request Timeout", 413: b"Content Too Large", 503: b"Service Unavailable"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLimits:
    body: int = 256 * 1024
    """Bytes; JSON messages have their own limit of 64 KiB, which is told in words."""
    header_seconds: float = 20.0
    """From the opening of a connection, or a later request's first byte, to the last header."""
    body_seconds: float = 60.0
    refused_seconds: float = 5.0
    """For a client that must be refused to say what it wants."""
    linger_seconds: float = 2.0
    """A client reads an answer only after it has sent some more; until then that is thrown away."""
    unread_seconds: float = 120.0
    """For a client to take its answers, where it does not read as fast as it asks."""
    base_path: str = ""

    def body_of(self, uri: bytes) -> int:
        """The most bytes that the body of a request to `uri` may have."""
        is_small = self.path_of(uri).startswith(SMALL_BODIES)
        return min(SMALL, self.body) if is_small else self.body

    def is_probe(self, uri: bytes) -> bool:
        return self.path_of(uri) in PROBES

    def path_of(self, uri: bytes) -> str:
        return uri.decode("latin-1").partition("?")[0].removeprefix(self.base_path)


class LimitedChannel(http.HTTPChannel):  # type: ignore[misc,unused-ignore]
    """A connection until it is closed, or becomes a socket."""

    maxHeaders = 100

    def __init__(self, limits: RequestLimits, connections: ConnectionLimits) -> None:
        super().__init__()
        self.limits = limits
        self.connections = connections
        self.deadline: Any = None
        self.place = TrackedConnection("")
        self.has_room = True
        self.refused = False
        self.received = 0
        """Bytes of the body, as they came."""
        self.unread: Any = None
        """The request that was answered last, while the transport cannot take more."""

    def connectionMade(self) -> None:
        super().connectionMade()
        self.place = TrackedConnection(client_network(peer_host(self.transport)))
        count_until_lost(self.transport, self.connections, self.place)
        self.has_room = self.connections.open(self.place, self.evict)
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
        """Answer without Django, and close once the client had time to read it."""
        self.refused = True
        self.connections.note_busy(self.place)
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
        self.connections.note_busy(self.place)
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:
        """Begin with the next request only once the answers before it have left.

        A client may send hundreds at once and read nothing: each answer would wait in memory.
        """
        if self.persistent:
            self.connections.note_idle(self.place, self.evict)
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
            # it has ended for Daphne
            self.requests.remove(self.unread)
            self.unread = None
        super().connectionLost(reason)


def count_until_lost(
    transport: Any, connections: ConnectionLimits, place: TrackedConnection
) -> None:
    """At the transport: once it carries a socket, the channel hears nothing any more."""
    lose = transport.connectionLost

    def lost(reason: Any) -> None:
        del transport.connectionLost
        connections.close(place)
        lose(reason)

    transport.connectionLost = lost


def limit_connections(factory: Any, limits: RequestLimits, connections: ConnectionLimits) -> None:
    """Let `factory`, Daphne's, make channels with these limits from now on."""
    factory.protocol = lambda: LimitedChannel(limits, connections)
