"""A token bucket for one socket."""

from __future__ import annotations

from time import monotonic

RATE = 20.0
"""Messages per second that may go on for ever."""

BURST = 60.0


class Bucket:
    def __init__(self) -> None:
        self.level = BURST
        self.at = monotonic()

    def take(self) -> bool:
        """Whether one more message may come now."""
        now = monotonic()
        self.level = min(BURST, self.level + RATE * (now - self.at))
        self.at = now
        if self.level < 1:
            return False
        self.level -= 1
        return True
