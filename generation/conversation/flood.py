"""Token buckets: one for a socket, and one for each person who sends by HTTP."""

from __future__ import annotations

from threading import Lock
from time import monotonic

RATE = 20.0
"""Messages per second that may go on for ever."""

BURST = 60.0

REMEMBERED = 1_000
"""People whose bucket is kept before the full ones are forgotten."""


class Bucket:
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


class Buckets:
    """By person; a request of his has no connection that could have a bucket of its own."""

    def __init__(self) -> None:
        self.by_owner: dict[int, Bucket] = {}
        # asked from the loop, and by views that run in threads of their own
        self.turn = Lock()

    def take(self, owner_id: int) -> bool:
        with self.turn:
            if len(self.by_owner) >= REMEMBERED and owner_id not in self.by_owner:
                self.forget_the_full()
            return self.by_owner.setdefault(owner_id, Bucket()).take()

    def forget_the_full(self) -> None:
        for owner_id, bucket in list(self.by_owner.items()):
            bucket.fill()
            if bucket.level >= bucket.burst:
                del self.by_owner[owner_id]


buckets = Buckets()
"""This process's."""
