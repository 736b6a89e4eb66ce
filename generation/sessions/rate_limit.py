"""Token buckets that limit a socket, a user's requests, and everything that a user sends."""

from __future__ import annotations

from threading import Lock
from time import monotonic

from django.conf import settings

from generation import process_metrics

RATE = 20.0
"""Messages per second, sustained."""

BURST = 60.0

PERSON_RATE = 2.0 * settings.CONNECTIONS_PER_PERSON
PERSON_BURST = 20.0 * settings.CONNECTIONS_PER_PERSON
"""Messages of all connections together: enough for three pages that reconnect at once, each
with 200 tasks."""

MAX_BUCKETS = 1_000
"""Users; beyond that, full buckets are dropped before another one is added."""


class TokenBucket:
    __slots__ = ("at", "burst", "level", "rate")

    def __init__(self, rate: float = RATE, burst: float = BURST) -> None:
        """`rate`: messages refilled per second; `burst`: capacity in messages."""
        self.rate = rate
        self.burst = burst
        self.level = burst
        self.at = monotonic()

    def fill(self) -> None:
        now = monotonic()
        self.level = min(self.burst, self.level + self.rate * (now - self.at))
        self.at = now

    def take(self) -> bool:
        """Whether one more message is allowed now; if so, it is counted."""
        self.fill()
        if self.level < 1:
            process_metrics.LIMITS_REFUSED.labels("messages").inc()
            return False
        self.level -= 1
        return True


class TokenBuckets:
    """One bucket for each user."""

    def __init__(self, rate: float = RATE, burst: float = BURST) -> None:
        self.rate = rate
        self.burst = burst
        self.by_owner: dict[int, TokenBucket] = {}
        # used by the event loop and by views, which run in threads
        self.lock = Lock()

    def take(self, owner_id: int) -> bool:
        with self.lock:
            if len(self.by_owner) >= MAX_BUCKETS and owner_id not in self.by_owner:
                self.drop_full()
            bucket = self.by_owner.get(owner_id)
            if bucket is None:
                bucket = self.by_owner[owner_id] = TokenBucket(self.rate, self.burst)
            return bucket.take()

    def drop_full(self) -> None:
        for owner_id, bucket in list(self.by_owner.items()):
            bucket.fill()
            if bucket.level >= bucket.burst:
                del self.by_owner[owner_id]


request_buckets = TokenBuckets()
"""Limits HTTP requests in this process; a socket has a bucket of its own instead."""

owner_buckets = TokenBuckets(PERSON_RATE, PERSON_BURST)
"""Limits everything in this process: messages on all sockets, connections, requests, pages."""


def allows_request(owner_id: int) -> bool:
    """Whether this user may make one more HTTP request now; if so, it is counted."""
    return request_buckets.take(owner_id) and owner_buckets.take(owner_id)
