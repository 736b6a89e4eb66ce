"""Limits of attempts: some are free, then each one costs a longer pause.

Counts are in Django's default cache, so that all web processes count together, or in this process
while the shared cache is down (`accounts.failover_cache`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from time import time
from typing import TypeVar

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache

T = TypeVar("T")

COUNT_KEPT = 3_600
"""Seconds after the last counted attempt until the count is reset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """`free` attempts at once, then a pause of `first`, twice that … up to `longest` seconds."""

    name: str
    free: int
    longest: float
    first: float = 1.0
    shared: bool = True
    """Whether all web processes count together."""

    def use(self, ask: Callable[[BaseCache], T]) -> T:
        return ask(caches["default" if self.shared else "local"])

    def hit(self, subject: str) -> float:
        """Count one attempt; return 0 if it is allowed, else the seconds to wait.

        Counted before the result is known, so that parallel attempts cannot exceed the limit.
        """
        key = self.key_of(subject)
        return self.use(lambda cache: self.hit_in(cache, key))

    def hit_in(self, cache: BaseCache, key: str) -> float:
        wait = self.wait_in(cache, key)
        if wait > 0:
            return wait
        count = increment(cache, key)
        pause = self.pause_after(count)
        if pause and not cache.add(f"{key}:pause", time() + pause, timeout=pause):
            # a parallel attempt took this turn
            decrement(cache, key)
            return max(self.first, self.wait_in(cache, key))
        return 0.0

    def pause_after(self, count: int) -> float:
        if count < self.free:
            return 0.0
        return min(self.longest, self.first * 2.0 ** min(count - self.free, 30))

    def wait(self, subject: str) -> float:
        """Seconds until the next attempt is allowed; counts nothing."""
        key = self.key_of(subject)
        return self.use(lambda cache: self.wait_in(cache, key))

    def wait_in(self, cache: BaseCache, key: str) -> float:
        until: float = cache.get(f"{key}:pause", 0.0)
        return max(0.0, until - time())

    def reset(self, subject: str) -> None:
        """Make all attempts free again."""
        key = self.key_of(subject)
        self.use(lambda cache: cache.delete_many([key, f"{key}:pause"]))

    def undo_hit(self, subject: str) -> None:
        """Remove the last attempt and its pause."""
        key = self.key_of(subject)
        self.use(lambda cache: self.undo_hit_in(cache, key))

    def undo_hit_in(self, cache: BaseCache, key: str) -> None:
        decrement(cache, key)
        cache.delete(f"{key}:pause")

    def key_of(self, subject: str) -> str:
        """A key of fixed length for any subject."""
        digest = hashlib.sha256(subject.encode(errors="surrogatepass")).hexdigest()[:32]
        return f"{self.name}:{digest}"


def increment(cache: BaseCache, key: str) -> int:
    cache.add(key, 0, timeout=COUNT_KEPT)
    cache.touch(key, timeout=COUNT_KEPT)
    try:
        return cache.incr(key)
    except ValueError:
        # expired or evicted between the two calls
        cache.set(key, 1, timeout=COUNT_KEPT)
        return 1


def decrement(cache: BaseCache, key: str) -> None:
    # expired meanwhile: nothing to undo
    with suppress(ValueError):
        cache.decr(key)
