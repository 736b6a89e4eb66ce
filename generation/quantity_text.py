"""Numbers, durations and times as text in the active language.

static/studio/js/lib/i18n.js is the twin.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from math import floor

from django.utils.dateformat import format as format_date
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

MINUTES_FROM = 90
"""Seconds from which an estimate is given in minutes."""


def number(value: float, digits: int) -> str:
    """`value` with `digits` decimals; halves are rounded up, as in the browser."""
    return str(Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


def about(seconds: float, in_minutes: str, in_seconds: str) -> str:
    """One of the two sentences, with the rounded number of its unit as `n`."""
    if seconds >= MINUTES_FROM:
        return in_minutes % {"n": floor(seconds / 60 + 0.5)}
    return in_seconds % {"n": max(1, floor(seconds + 0.5))}


def duration(seconds: float) -> str:
    """A measured duration: 0.02 s, 1.1 s, 19 s, 2 min 5 s."""
    if seconds >= 9.95:
        return elapsed(floor(seconds + 0.5))
    seconds = max(0.0, seconds)
    return _("%(n)s s") % {"n": number(seconds, 2 if seconds < 0.095 else 1)}


def elapsed(seconds: float) -> str:
    """A duration that still grows, in whole seconds."""
    whole = max(0, floor(seconds))
    if whole < 100:
        return _("%(n)s s") % {"n": whole}
    return _("%(m)s min %(s)s s") % {"m": whole // 60, "s": whole % 60}


def estimate(seconds: float) -> str:
    return _("≈ %(t)s") % {"t": duration(seconds)}


def time_of_day(at: float, now: float) -> str:
    """Time in the site's time zone, with the date unless it is today's; both in Unix seconds."""
    moment, today = (localtime(datetime.fromtimestamp(each, UTC)) for each in (at, now))
    time = f"{moment:%H:%M:%S}"
    if moment.date() == today.date():
        return time
    day = format_date(moment, pgettext("date format", "M j"))
    return f"{day} {time}"
