"""The default cache: shared by all processes, or of this process alone while that one is down."""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

logger = logging.getLogger(__name__)
T = TypeVar("T")

RETRY_AFTER = 5.0
"""Seconds until a failed cache is tried again; each failure costs its time-out."""


def cache_errors() -> tuple[type[Exception], ...]:
    """What a cache that is down raises; evaluated only when something was raised."""
    # loading it takes a tenth of a second, which a process without Redis need not spend
    from redis.exceptions import RedisError

    return RedisError, OSError


class SharedCounters:
    """Chooses the cache `shared`, or `local` while it is down."""

    def __init__(self) -> None:
        self.away_until = 0.0
        self.is_away = False

    def use(self, ask: Callable[[BaseCache], T]) -> T:
        if monotonic() >= self.away_until:
            try:
                answer = ask(caches["shared"])
            except cache_errors() as error:
                self.note_failure(error)
            else:
                self.note_success()
                return answer
        return ask(caches["local"])

    def note_failure(self, error: Exception) -> None:
        self.away_until = monotonic() + RETRY_AFTER
        if not self.is_away:
            self.is_away = True
            logger.warning("sign-in limits count in this process alone: %r", error)

    def note_success(self) -> None:
        if self.is_away:
            self.is_away = False
            logger.info("sign-in limits count in all processes again")


counters = SharedCounters()
"""This process's: Django makes a cache object for each thread."""


class FailoverCache(BaseCache):
    """Forwards every operation to the cache that `counters` chooses.

    A sign-in with wrong codes, or with a code that was used before, stays limited without Redis.
    """

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        """`location` is not used."""
        super().__init__(params)

    def add(
        self,
        key: Any,
        value: Any,
        timeout: Any = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        return counters.use(lambda cache: cache.add(key, value, timeout, version))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return counters.use(lambda cache: cache.get(key, default, version))

    def set(
        self,
        key: Any,
        value: Any,
        timeout: Any = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> None:
        counters.use(lambda cache: cache.set(key, value, timeout, version))

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return counters.use(lambda cache: cache.touch(key, timeout, version))

    def delete(self, key: Any, version: int | None = None) -> bool:
        return counters.use(lambda cache: cache.delete(key, version))

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """Atomic, which the base class is not; `decr` uses it."""
        return counters.use(lambda cache: cache.incr(key, delta, version))

    def clear(self) -> None:
        counters.use(lambda cache: cache.clear())
