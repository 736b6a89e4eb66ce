"""The account page that shows what is left of the user's limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from generation import selectors
from generation.choices import LimitKind
from generation.clock import clock
from generation.hub import hub
from generation.selectors import LimitInForce, LimitSource
from generation.sessions import counted_requests
from generation.views.error_pages import rate_limited

MEGABYTE = 1_000_000

EFFORT_UNITS = {
    "en": ((10**9, "{} billion"), (10**6, "{} million")),
    "zh": ((10**8, "{} 亿"), (10**4, "{} 万")),
}
"""By language, because Chinese counts in ten thousands: sizes and how they are written."""

NEARLY_USED = 90
"""Percent of a limit from which its bar warns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRow:
    """One limit in the words of the page; `percent`: of the bar, None without one."""

    title: str
    amount: str
    percent: int | None
    level: str
    renewal: str
    source: str
    is_storage: bool


@require_safe
@login_required
@never_cache
@rate_limited
def limits(request: HttpRequest) -> HttpResponse:
    now, owner_id = clock.now(), cast("User", request.user).pk
    stored = selectors.stored_bytes(owner_id)
    found = selectors.limit_overview(owner_id, now=now)
    uses = dict(used_of(found, owner_id, stored.total, now))
    context = {
        "rows": [limit_row(each, uses.get(each.kind), now) for each in found],
        "in_trash": megabytes(stored.in_trash) if stored.in_trash else "",
        "zone": timezone.get_current_timezone_name(),
        "zone_of_days": timezone.get_default_timezone_name(),
    }
    return render(request, "studio/limits.html", context)


def used_of(
    limits: list[LimitInForce], owner_id: int, stored: int, now: datetime
) -> Iterator[tuple[LimitKind, int]]:
    """What was used of each kind of which that is known."""
    for each in limits:
        if each.kind == LimitKind.STORAGE:
            yield each.kind, stored if each.used is None else each.used
        elif each.kind == LimitKind.CONNECTIONS:
            yield each.kind, hub.connections_of(owner_id)
        elif each.kind == LimitKind.REQUESTS and each.limit is not None:
            yield each.kind, min(each.limit, counted_requests(owner_id, now=now))
        elif each.kind != LimitKind.TASK_EFFORT and each.used is not None:
            yield each.kind, each.used


def limit_row(limit: LimitInForce, used: int | None, now: datetime) -> LimitRow:
    percent = None
    if limit.limit is not None and used is not None:
        percent = 100 if used >= limit.limit else 100 * used // limit.limit
    return LimitRow(
        title=capfirst(title_of(limit.kind)),
        amount=amount_text(limit, used),
        percent=percent,
        level=level_of(percent),
        renewal="" if limit.limit is None else renewal_text(limit, now),
        source=source_text(limit),
        is_storage=limit.kind == LimitKind.STORAGE,
    )


def level_of(percent: int | None) -> str:
    if percent is None or percent < NEARLY_USED:
        return ""
    return "full" if percent == 100 else "low"


def title_of(kind: LimitKind) -> str:
    titles = {
        LimitKind.STORAGE: _("storage for pictures"),
        LimitKind.CONNECTIONS: _("open pages and programs"),
    }
    return titles.get(kind) or str(kind.label)


def amount_text(limit: LimitInForce, used: int | None) -> str:
    """Such as "12 of 20", "34.5 MB, no limit"."""
    most = None if limit.limit is None else quantity(limit.kind, limit.limit)
    if used is None:
        return _("no limit") if most is None else _("at most %(most)s") % {"most": most}
    values = {"used": quantity(limit.kind, used), "most": most}
    return _("%(used)s, no limit") % values if most is None else _("%(used)s of %(most)s") % values


def quantity(kind: LimitKind, value: int) -> str:
    if kind == LimitKind.STORAGE:
        return megabytes(value)
    if kind in (LimitKind.EFFORT, LimitKind.TASK_EFFORT):
        return effort(value)
    return grouped(value, 0)


def effort(value: int) -> str:
    """Such as "7.9 million"."""
    large, small = EFFORT_UNITS[(get_language() or "en")[:2]]
    size, text = large if value >= large[0] else small
    count = value / size
    return text.format(grouped(count, 0 if count >= 100 else 1))


def megabytes(value: int) -> str:
    return _("%(n)s MB") % {"n": grouped(value / MEGABYTE, 1)}


def grouped(value: float, decimals: int) -> str:
    """With commas, as in both languages."""
    return f"{value:,.{decimals}f}"


def renewal_text(limit: LimitInForce, now: datetime) -> str:
    """When there is room again, in the user's time zone."""
    match limit.kind:
        case LimitKind.PICTURES | LimitKind.EFFORT:
            assert limit.renews_at is not None
            moment, today = timezone.localtime(limit.renews_at), timezone.localtime(now)
            is_today = moment.date() == today.date()
            text = _("Renews today at %(time)s") if is_today else _("Renews tomorrow at %(time)s")
            return text % {"time": f"{moment:%H:%M}"}
        case LimitKind.SUBMISSIONS | LimitKind.REQUESTS:
            return _("Renews every minute")
        case LimitKind.UNFINISHED:
            return _("There is room again when a task ends")
        case LimitKind.TASK_EFFORT:
            return _("Each task by itself")
        case LimitKind.STORAGE:
            return _("There is room again when the trash is emptied")
        case LimitKind.CONNECTIONS:
            return _("There is room again when a page is closed. Counted in each web process")


def source_text(limit: LimitInForce) -> str:
    match limit.source:
        case LimitSource.USER:
            return _("set for you")
        case LimitSource.GROUP:
            return _("from your group %(name)s") % {"name": ", ".join(limit.groups)}
        case LimitSource.INSTALLATION:
            return _("of this installation")
