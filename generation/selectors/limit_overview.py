"""All limits of a user with their sources, and how many bytes are stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto
from typing import NamedTuple

from django.db.models import Q, Sum

from generation.choices import LimitKind
from generation.models import GeneratedImage, LimitOverride
from generation.selectors.allowances import Read, in_force, period_of, read_limits


class LimitSource(StrEnum):
    """What a limit in force comes from; the first one that has it."""

    USER = auto()
    GROUP = auto()
    INSTALLATION = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitInForce:
    """`limit`: None if unlimited. `used`: None if it is not counted in the database."""

    kind: LimitKind
    limit: int | None
    used: int | None
    renews_at: datetime | None
    source: LimitSource
    groups: list[str]
    """Names of the groups that it comes from."""


class StoredBytes(NamedTuple):
    total: int
    in_trash: int


def limit_overview(owner_id: int, *, now: datetime) -> list[LimitInForce]:
    """The limits of every kind, unlimited ones included."""
    read = read_limits([owner_id], now).get(owner_id, {})
    allowances, groups = in_force(read, now), groups_of_limits(owner_id)
    limits = []
    for kind in LimitKind:
        allowance, source = allowances.get(kind), source_of(kind, read)
        limit = None if allowance is None else allowance.limit
        _period, renews_at = period_of(kind, now)
        limits.append(
            LimitInForce(
                kind=kind,
                limit=limit,
                used=read.get("used", {}).get(kind) if allowance is None else allowance.used,
                renews_at=renews_at,
                source=source,
                groups=groups.get((kind, limit), []) if source == LimitSource.GROUP else [],
            )
        )
    return limits


def source_of(kind: LimitKind, read: Read) -> LimitSource:
    for source in (LimitSource.USER, LimitSource.GROUP):
        if kind in read.get(source, {}):
            return source
    return LimitSource.INSTALLATION


def groups_of_limits(owner_id: int) -> dict[tuple[str, int | None], list[str]]:
    """(kind, value) → names of the owner's groups with this limit."""
    rows = LimitOverride.objects.filter(group__user=owner_id).order_by("group__name")
    groups: dict[tuple[str, int | None], list[str]] = {}
    for kind, value, name in rows.values_list("kind", "value", "group__name"):
        groups.setdefault((kind, value), []).append(name)
    return groups


def stored_bytes(owner_id: int) -> StoredBytes:
    """Bytes of the owner's pictures without thumbnails, and how many of them are deleted."""
    deleted = Q(deleted_at__isnull=False) | Q(task__deleted_at__isnull=False)
    images = GeneratedImage.objects.filter(task__owner=owner_id)
    sums = images.aggregate(total=Sum("bytes"), in_trash=Sum("bytes", filter=deleted))
    return StoredBytes(sums["total"] or 0, sums["in_trash"] or 0)
