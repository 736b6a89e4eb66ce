"""The filter of the review page, in the query of its address."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.http import urlencode

from generation.limits import MAX_MODEL_NAME
from generation.selectors import STATES, WAITING, ReviewFilter

MAX_NAME = 150
"""Characters of a username."""

MAX_KEY = 2**63 - 1


def filter_of(request: HttpRequest) -> ReviewFilter:
    """What cannot be read excludes nothing."""
    query = request.GET
    state = query.get("state", WAITING)
    return ReviewFilter(
        state=state if state in STATES else WAITING,
        model=text_of(query.get("model", ""), MAX_MODEL_NAME),
        owner=text_of(query.get("owner", ""), MAX_NAME),
        since=start_of(day_of(query.get("since", ""))),
        until=start_of(day_of(query.get("until", "")), days_later=1),
        words=query.get("words") == "1",
        after=key_in(query.get("after", "")),
        like=key_in(query.get("like", "")),
    )


def query_of(wanted: ReviewFilter, **changes: Any) -> str:
    """The query of the same filter from its first page; without the defaults."""
    values: dict[str, Any] = {
        "state": "" if wanted.state == WAITING else wanted.state,
        "model": wanted.model,
        "owner": wanted.owner,
        "since": wanted.since and first_day(wanted.since),
        "until": wanted.until and first_day(wanted.until - timedelta(days=1)),
        "words": "1" if wanted.words else "",
        "like": wanted.like,
    }
    return urlencode({key: value for key, value in {**values, **changes}.items() if value})


def text_of(text: str, most: int) -> str:
    # no database stores NUL
    return "" if "\0" in text else text.strip()[:most]


def key_in(text: str) -> int:
    """The key in `text`; 0 if it is none."""
    if not (text.isascii() and text.isdecimal()):
        return 0
    return int(text) if len(text) < len(str(MAX_KEY)) else 0


def moment_in(text: str) -> datetime | None:
    """The moment in `text`, which has its time zone; None if it is none."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None


def day_of(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def first_day(moment: datetime) -> str:
    return timezone.localtime(moment).date().isoformat()


def start_of(day: date | None, *, days_later: int = 0) -> datetime | None:
    """When the day begins in the user's time zone; None also for one at the end of time."""
    if day is None or not 1970 <= day.year < 9999:
        return None
    moment = datetime.combine(day + timedelta(days=days_later), time.min)
    return timezone.make_aware(moment)
