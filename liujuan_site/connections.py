"""How many connections a web process keeps, in all and per client, and which one goes first."""

from __future__ import annotations

import resource
from dataclasses import dataclass, field
from typing import Any, Protocol

MOST = 10_000
"""Connections of one process, if the system allows so many files."""

SHARE_OF_FILES = 0.8
"""Of the files that the process may open; the rest is for databases, pictures and logs."""


class Connection(Protocol):
    """What can be counted: one channel of the server."""

    client: str

    def evict(self) -> None:
        """Close at once: another connection needs the place."""


@dataclass(slots=True)
class Peer:
    """The connections of one client."""

    count: int = 0
    idle: dict[Connection, None] = field(default_factory=dict)
    """Those that no request is under way on, the one that waits longest first."""


class Connections:
    """Counts connections; where there are too many, one that waits for a request has to go."""

    def __init__(self, *, most: int, per_client: int) -> None:
        """`per_client` 0: no limit, as behind a proxy, from where all of them come."""
        self.most = most
        self.per_client = per_client
        self.count = 0
        self.idle: dict[Connection, None] = {}
        self.peers: dict[str, Peer] = {}

    def open(self, connection: Connection) -> bool:
        """Count a connection; False if there is no place for it, and none could be made."""
        peer = self.peers.setdefault(connection.client, Peer())
        crowded = self.per_client and peer.count >= self.per_client
        candidates = peer.idle if crowded else self.idle
        has_place = not crowded and self.count < self.most
        victim = None if has_place else next(iter(candidates), None)
        self.count += 1
        peer.count += 1
        self.note_idle(connection)
        if victim is not None:
            self.note_busy(victim)
            victim.evict()
        return has_place or victim is not None

    def close(self, connection: Connection) -> None:
        self.note_busy(connection)
        self.count -= 1
        peer = self.peers[connection.client]
        peer.count -= 1
        if not peer.count:
            del self.peers[connection.client]

    def note_idle(self, connection: Connection) -> None:
        self.idle[connection] = None
        self.peers[connection.client].idle[connection] = None

    def note_busy(self, connection: Connection) -> None:
        self.idle.pop(connection, None)
        peer = self.peers.get(connection.client)
        if peer is not None:
            peer.idle.pop(connection, None)


def raise_file_limit() -> int:
    """Let the process open as many files as the system allows it; how many connections that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = int(MOST / SHARE_OF_FILES)
    limit = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    if soft not in (resource.RLIM_INFINITY,) and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    else:
        limit = wanted if soft == resource.RLIM_INFINITY else soft
    return min(MOST, int(limit * SHARE_OF_FILES))


def peer_host(transport: Any) -> str:
    """The address of the other side; empty for a Unix socket."""
    return str(getattr(transport.getPeer(), "host", ""))
