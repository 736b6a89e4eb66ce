"""The limit of API requests per minute, counted in the shared cache by all web processes."""

from __future__ import annotations

from datetime import datetime

from django.core.cache import cache

from accounts.throttle import increment
from generation import process_metrics, selectors
from generation.choices import LimitKind
from generation.exceptions import LimitReached

LIMIT_KEPT = 10
"""Seconds until the limit of a user is read from the database again."""

UNLIMITED = -1


def count_request(owner_id: int, *, now: datetime) -> None:
    """Count one API request of a user; raises LimitReached."""
    limit = known_limit(owner_id, now)
    if limit == UNLIMITED:
        return
    _period, renews_at = selectors.period_of(LimitKind.REQUESTS, now)
    if increment(cache, count_key(owner_id, now)) > limit:
        process_metrics.LIMITS_REFUSED.labels(LimitKind.REQUESTS.value).inc()
        raise LimitReached(LimitKind.REQUESTS, limit=limit, left=0, renews_at=renews_at)


def counted_requests(owner_id: int, *, now: datetime) -> int:
    """Requests of this minute, refused ones included."""
    count: int = cache.get(count_key(owner_id, now), 0)
    return count


def count_key(owner_id: int, now: datetime) -> str:
    period, _renews_at = selectors.period_of(LimitKind.REQUESTS, now)
    return f"requests:{owner_id}:{period}"


def known_limit(owner_id: int, now: datetime) -> int:
    key = f"request-limit:{owner_id}"
    limit: int | None = cache.get(key)
    if limit is None:
        allowances = selectors.allowances_of([owner_id], now=now)[owner_id]
        allowance = allowances.get(LimitKind.REQUESTS)
        limit = UNLIMITED if allowance is None else allowance.limit
        cache.set(key, limit, timeout=LIMIT_KEPT)
    return limit
