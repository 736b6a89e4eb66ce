"""Limits on the connections of a web process, in total and per client."""

from __future__ import annotations

import resource
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MAX_CONNECTIONS = 10_000
"""Connections per process, if the system allows that many open files."""

SHARE_OF_FILES = 0.8
"""Fraction of the open files used for connections; databases, pictures and logs need the rest."""


class TrackedConnection:
    """State of one connection; small, because there are thousands."""

    __slots__ = ("client", "evict", "lost")

    def __init__(self, client: str) -> None:
        self.client = client
        self.evict: Callable[[], None] | None = None
        """Closes the connection at once; set only while it is idle."""
        self.lost = False


@dataclass(slots=True)
class ClientConnections:
    """Count and idle connections of one client."""

    count: int = 0
    idle: dict[TrackedConnection, None] = field(default_factory=dict)
    """Connections without a request under way, the longest idle one first."""


class ConnectionLimits:
    """Counts connections; at a limit, the longest idle connection is closed for a new one."""

    def __init__(self, *, most: int, per_client: int) -> None:
        """`per_client` 0: no limit per client, because a proxy makes all connections."""
        self.most = most
        self.per_client = per_client
        self.count = 0
        self.idle: dict[TrackedConnection, None] = {}
        self.peers: dict[str, ClientConnections] = {}

    def open(self, connection: TrackedConnection, evict: Callable[[], None]) -> bool:
        """Count a new connection; False if a limit is reached and no connection is idle."""
        peer = self.peers.setdefault(connection.client, ClientConnections())
        crowded = self.per_client and peer.count >= self.per_client
        candidates = peer.idle if crowded else self.idle
        has_room = not crowded and self.count < self.most
        victim = None if has_room else next(iter(candidates), None)
        self.count += 1
        peer.count += 1
        self.note_idle(connection, evict)
        if victim is not None:
            close_victim = victim.evict
            self.note_busy(victim)
            if close_victim is not None:
                close_victim()
        return has_room or victim is not None

    def close(self, connection: TrackedConnection) -> None:
        self.note_busy(connection)
        connection.lost = True
        self.count -= 1
        peer = self.peers[connection.client]
        peer.count -= 1
        if not peer.count:
            del self.peers[connection.client]

    def note_idle(self, connection: TrackedConnection, evict: Callable[[], None]) -> None:
        if connection.lost:
            return
        connection.evict = evict
        self.idle[connection] = None
        self.peers[connection.client].idle[connection] = None

    def note_busy(self, connection: TrackedConnection) -> None:
        """Take the connection out of the idle ones; a WebSocket stays busy until it is closed."""
        if connection.lost:
            return
        connection.evict = None
        self.idle.pop(connection, None)
        self.peers[connection.client].idle.pop(connection, None)


def raise_file_limit() -> int:
    """Raise the limit on open files as far as useful and allowed; return the connections for it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = int(MAX_CONNECTIONS / SHARE_OF_FILES)
    limit = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    if soft not in (resource.RLIM_INFINITY,) and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    else:
        limit = wanted if soft == resource.RLIM_INFINITY else soft
    return min(MAX_CONNECTIONS, int(limit * SHARE_OF_FILES))


def peer_host(transport: Any) -> str:
    """The peer's address; empty for a Unix socket."""
    return str(getattr(transport.getPeer(), "host", ""))
