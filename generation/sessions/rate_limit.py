"""Token buckets: of a socket, of a person's requests, and of all that a person sends."""

from __future__ import annotations

from threading import Lock
from time import monotonic

from django.conf import settings

RATE = 20.0
"""Messages per second that may go on for ever."""

BURST = 60.0

PERSON_RATE = 2.0 * settings.CONNECTIONS_PER_PERSON
PERSON_BURST = 20.0 * settings.CONNECTIONS_PER_PERSON
"""Of all connections together: three pages that come back with 200 tasks each, in one moment."""

MAX_BUCKETS = 1_000
"""People whose bucket is kept before the full ones are forgotten."""


class TokenBucket:
    def __init__(self, rate: float = RATE, burst: float = BURST) -> None:
        """`rate`: messages that come back in a second; `burst`: the most that it holds."""
        self.rate = rate
        self.burst = burst
        self.level = burst
        self.at = monotonic()

    def fill(self) -> None:
        now = monotonic()
        self.level = min(self.burst, self.level + self.rate * (now - self.at))
        self.at = now

    def take(self) -> bool:
        """Whether one more message may come now."""
        self.fill()
        if self.level < 1:
            return False
        self.level -= 1
        return True


class TokenBuckets:
    """One for each person."""

    def __init__(self, rate: float = RATE, burst: float = BURST) -> None:
        self.rate = rate
        self.burst = burst
        self.by_owner: dict[int, TokenBucket] = {}
        # asked from the loop, and by views that run in threads of their own
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
"""This process's, for requests: a request has no connection that could have one of its own."""

owner_buckets = TokenBuckets(PERSON_RATE, PERSON_BURST)
"""This process's, for everything: messages on all sockets, new connections, requests, pages."""


def allows_request(owner_id: int) -> bool:
    """Whether one more request of this person may come now."""
    return request_buckets.take(owner_id) and owner_buckets.take(owner_id)
