"""The limits of users, and how much of them is left."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from django.conf import settings
from django.db import connection
from django.utils.timezone import get_default_timezone

from generation import sql
from generation.choices import UNFINISHED, LimitKind
from generation.protocol import AllowanceData

SETTINGS = {
    LimitKind.UNFINISHED: "LIMIT_UNFINISHED",
    LimitKind.PICTURES: "LIMIT_PICTURES_PER_DAY",
    LimitKind.EFFORT: "LIMIT_EFFORT_PER_DAY",
    LimitKind.TASK_EFFORT: "LIMIT_EFFORT",
    LimitKind.SUBMISSIONS: "LIMIT_SUBMISSIONS_PER_MINUTE",
    LimitKind.STORAGE: "LIMIT_STORAGE",
    LimitKind.CONNECTIONS: "CONNECTIONS_PER_PERSON",
    LimitKind.REQUESTS: "LIMIT_REQUESTS_PER_MINUTE",
}
"""The setting of each kind, for users without a limit of their own or of a group."""

DAILY = frozenset({LimitKind.PICTURES, LimitKind.EFFORT})
EVERY_MINUTE = frozenset({LimitKind.SUBMISSIONS, LimitKind.REQUESTS})
OF_CONNECTIONS = frozenset({LimitKind.CONNECTIONS, LimitKind.REQUESTS})
"""Counted by web processes; all other kinds are limits of submissions."""

MOST_OWNERS = 1_000
"""Owners per query, each of which is four parameters; SQLite allows 32,766."""

NEARLY_REACHED = 10
"""Unfinished tasks are shown when a tenth or less of their limit is left: the number changes with
each task, and says nothing before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """One limit in force. `used`: None if nothing was counted yet that must be counted first."""

    kind: LimitKind
    limit: int
    used: int | None
    period: str = ""
    renews_at: datetime | None = None

    @property
    def left(self) -> int:
        return max(0, self.limit - (self.used or 0))

    def after(self, used: int) -> Allowance:
        return replace(self, used=used)

    @property
    def data(self) -> AllowanceData:
        renews_at = None if self.renews_at is None else self.renews_at.timestamp()
        return {"limit": self.limit, "left": self.left, "renews_at": renews_at}


Allowances = dict[LimitKind, Allowance]
"""Of one user; unlimited kinds are left out."""


def period_of(kind: LimitKind, now: datetime) -> tuple[str, datetime | None]:
    """The period in which uses of `kind` are counted together, and when it ends.

    Days are those of TIME_ZONE: with the user's time zone, a change of it would renew a limit.
    """
    if kind in DAILY:
        zone = get_default_timezone()
        day = now.astimezone(zone).date()
        return day.isoformat(), datetime.combine(day + timedelta(days=1), time.min, zone)
    if kind in EVERY_MINUTE:
        minute = now.astimezone(UTC).replace(second=0, microsecond=0)
        return f"{minute:%Y-%m-%dT%H:%M}", minute + timedelta(minutes=1)
    return "", None


Read = dict[str, dict[str, int | None]]
"""Source of a row in `sql.limits_of_owners` → kind → value, for one owner."""


def allowances_of(owners: Collection[int], *, now: datetime) -> dict[int, Allowances]:
    """Owner → limits in force, with what was used of them; one query for MOST_OWNERS.

    A user's own limit precedes those of groups, and of these the most generous one counts.
    """
    keys = list(owners)
    read: dict[int, Read] = {}
    for start in range(0, len(keys), MOST_OWNERS):
        read |= read_limits(keys[start : start + MOST_OWNERS], now)
    return {owner: in_force(read.get(owner, {}), now) for owner in owners}


def read_limits(owners: Collection[int], now: datetime) -> dict[int, Read]:
    day, _end = period_of(LimitKind.PICTURES, now)
    minute, _end = period_of(LimitKind.SUBMISSIONS, now)
    keys: list[int | str] = [*owners]
    values = [*keys * 3, "", day, minute, *keys, *sorted(status.value for status in UNFINISHED)]
    found: dict[int, Read] = {}
    with connection.cursor() as cursor:
        cursor.execute(sql.limits_of_owners(len(owners)), values)
        for owner, source, kind, value in cursor.fetchall():
            of_source = found.setdefault(owner, {}).setdefault(source, {})
            if source == "group" and kind in of_source:
                value = most_generous(value, of_source[kind])
            of_source[kind] = value
    return found


def most_generous(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)


def in_force(read: Read, now: datetime) -> Allowances:
    limits: dict[str, int | None] = {
        kind: getattr(settings, name) or None for kind, name in SETTINGS.items()
    }
    limits |= read.get("group", {})
    limits |= read.get("user", {})
    used = read.get("used", {})
    allowances: Allowances = {}
    for kind in LimitKind:
        limit = limits[kind]
        if limit is None:
            continue
        period, renews_at = period_of(kind, now)
        allowances[kind] = Allowance(
            kind=kind,
            limit=limit,
            used=used.get(kind, None if kind == LimitKind.STORAGE else 0),
            period=period,
            renews_at=renews_at,
        )
    return allowances


def allowances_data(allowances: Allowances) -> dict[str, AllowanceData]:
    """The limits of submissions, by kind."""
    return {
        kind.value: each.data
        for kind, each in allowances.items()
        if kind not in OF_CONNECTIONS and each.used is not None
    }


def shown_allowances(allowances: Allowances) -> dict[str, AllowanceData]:
    """What a page shows before a task is sent, as in the frame `limits`."""
    shown = allowances_data(allowances)
    unfinished = shown.get(LimitKind.UNFINISHED.value)
    if unfinished and unfinished["left"] * NEARLY_REACHED > unfinished["limit"]:
        del shown[LimitKind.UNFINISHED.value]
    return shown


def shown_limits(owner_id: int, *, now: datetime) -> dict[str, AllowanceData]:
    return shown_allowances(allowances_of([owner_id], now=now)[owner_id])


def most_connections(allowances: Mapping[LimitKind, Allowance]) -> int | None:
    """Sockets and streams that a user may have open in one process; None: unlimited."""
    connections = allowances.get(LimitKind.CONNECTIONS)
    return None if connections is None else connections.limit
