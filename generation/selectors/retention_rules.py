"""How many days the data of each user is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import F, Q

from generation.choices import RetentionKind
from generation.models import RetentionRule

SETTINGS = {
    RetentionKind.PROMPTS: "RETENTION_PROMPTS",
    RetentionKind.LOGS: "RETENTION_LOGS",
    RetentionKind.PICTURES: "RETENTION_PICTURES",
    RetentionKind.FAVOURITES: "RETENTION_FAVOURITES",
    RetentionKind.TRASH: "RETENTION_TRASH",
}
"""The setting of each kind, for users without a rule of their own or of a group."""

EXPIRED = datetime(1970, 1, 1, tzinfo=UTC)
"""When something was deleted that need not be kept any longer, however long trash is kept."""

MOST_OWNERS = 1_000
"""Owners per query; SQLite allows 32,766 parameters."""

Days = dict[RetentionKind, int | None]
"""Kind → days; None: for ever."""


def default_days() -> Days:
    return {kind: getattr(settings, name) or None for kind, name in SETTINGS.items()}


def days_kept(owners: Collection[int]) -> dict[int, Days]:
    """Owner → days of each kind; one query, for at most MOST_OWNERS.

    A user's own rule precedes those of groups, and of these the longest time counts.
    """
    own: defaultdict[int, Days] = defaultdict(dict)
    of_groups: defaultdict[int, Days] = defaultdict(dict)
    rules = RetentionRule.objects.filter(Q(user__in=owners) | Q(group__user__in=owners))
    rows = rules.annotate(member=F("group__user")).values_list("user", "member", "kind", "days")
    for user, member, name, days in rows:
        kind = RetentionKind(name)
        if user is not None:
            own[user][kind] = days
        elif member is not None:
            known = of_groups[member]
            known[kind] = longest(days, known[kind]) if kind in known else days
    usual = default_days()
    return {owner: usual | of_groups[owner] | own[owner] for owner in owners}


def longest(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)


def days_kept_of(owner_id: int) -> Days:
    return days_kept([owner_id])[owner_id]


def owners_by_days(kept: Mapping[int, Days], kind: RetentionKind) -> dict[int | None, list[int]]:
    """Days → the owners whose data of this kind is kept so long."""
    found: defaultdict[int | None, list[int]] = defaultdict(list)
    for owner, days in kept.items():
        found[days[kind]].append(owner)
    return dict(found)


def trash_before(days: int | None, now: datetime) -> datetime:
    """What was deleted until then can no longer be restored."""
    return EXPIRED if days is None else now - timedelta(days=days)
