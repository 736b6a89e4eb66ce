"""Incidents: when an alarm becomes one, when it is over, and which process sends what about it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import translation
from django.utils.functional import Promise

from accounts.log_format import log_line
from generation.choices import AlarmKind, AlertChannel
from generation.models import AlarmWatch, Incident, IncidentNotice

logger = logging.getLogger(__name__)

StrOrPromise = str | Promise

ROW_KEY = 1
"""Primary key of the only watch."""

WATCH_INTERVAL = timedelta(seconds=10)
"""Between two turns of all processes together; also the delay if a process dies in its turn."""

CLEAR_AFTER = timedelta(seconds=60)
"""An alarm that comes back earlier is the same incident."""

LEASE = timedelta(seconds=60)
"""Longer than sending one message takes; if a process dies meanwhile, another sends after it."""

BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (10, 30, 120, 600, 1_800))
GIVE_UP_AFTER = timedelta(days=1)
INCIDENTS_KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something that is wrong now. It becomes an incident when it has lasted for `hold`.

    `detail`: its cause; translated when it is stored, and English in the log.
    """

    kind: AlarmKind
    subject: str = ""
    detail: StrOrPromise = ""
    hold: timedelta = timedelta(0)


def take_turn(*, now: datetime) -> bool:
    """Whether this process watches now; for WATCH_INTERVAL no other does."""
    AlarmWatch.objects.get_or_create(pk=ROW_KEY, defaults={"due_at": now})
    # later ones were written by a clock that was ahead
    is_due = Q(due_at__lte=now) | Q(due_at__gt=now + 2 * WATCH_INTERVAL)
    due = AlarmWatch.objects.filter(is_due, pk=ROW_KEY)
    return bool(due.update(due_at=now + WATCH_INTERVAL))


def record_alarms(
    *,
    alarms: Sequence[Alarm],
    unknown: Collection[AlarmKind],
    channels: Collection[AlertChannel],
    now: datetime,
) -> None:
    """Open and close incidents by what is wrong now, and queue a message about each change.

    `unknown`: kinds about which nothing can be said now; their incidents stay as they are.
    """
    with transaction.atomic():
        open_rows = Incident.objects.select_for_update().filter(closed_at__isnull=True)
        known = {(row.kind, row.subject): row for row in open_rows.order_by("pk")}
        for alarm in alarms:
            row = known.pop((alarm.kind.value, alarm.subject), None) or first_seen(alarm, now)
            if row is not None:
                keep_open(row, alarm, channels, now)
        for row in known.values():
            if row.kind not in unknown:
                end(row, channels, now)


def first_seen(alarm: Alarm, now: datetime) -> Incident | None:
    """A new row; None if another process has made it meanwhile."""
    row = Incident(kind=alarm.kind, subject=alarm.subject, since=now)
    Incident.objects.bulk_create([row], ignore_conflicts=True)
    return Incident.objects.filter(
        kind=alarm.kind, subject=alarm.subject, closed_at__isnull=True, since=now
    ).first()


def keep_open(
    row: Incident, alarm: Alarm, channels: Collection[AlertChannel], now: datetime
) -> None:
    row.clear_since = None
    if row.opened_at is None and now - row.since >= alarm.hold:
        row.opened_at, row.detail = now, in_language(settings.LANGUAGE_CODE, alarm.detail)
        announce(row, channels, now, is_clear=False)
        line = log_line(
            "incident_opened",
            kind=row.kind,
            subject=row.subject or None,
            cause=in_language("en", alarm.detail),
        )
        logger.warning("%s", line)
    row.save()


def in_language(language: str, words: StrOrPromise) -> str:
    with translation.override(language):
        return str(words)


def end(row: Incident, channels: Collection[AlertChannel], now: datetime) -> None:
    """Close an incident once its cause has been gone for CLEAR_AFTER."""
    if row.opened_at is None:
        row.delete()
        return
    row.clear_since = row.clear_since or now
    if now - row.clear_since >= CLEAR_AFTER:
        row.closed_at = now
        announce(row, channels, now, is_clear=True)
        seconds = (row.clear_since - row.since).total_seconds()
        line = log_line(
            "incident_closed", kind=row.kind, subject=row.subject or None, seconds=seconds
        )
        logger.info("%s", line)
    row.save()


def announce(
    row: Incident, channels: Collection[AlertChannel], now: datetime, *, is_clear: bool
) -> None:
    IncidentNotice.objects.bulk_create(
        IncidentNotice(incident=row, channel=channel, is_clear=is_clear, created=now, due_at=now)
        for channel in channels
    )


def claim_notices(*, channels: Collection[AlertChannel], now: datetime) -> list[IncidentNotice]:
    """The oldest message that is due, for this process to send within LEASE; empty if none is.

    With it come those about incidents of its kind that began, or ended, in the same turn: they are
    one message. An all-clear waits until the alarm before it was sent or given up.
    """
    due = IncidentNotice.objects.filter(due_at__lte=now, channel__in=channels)
    for notice in due.select_related("incident").order_by("pk")[:20]:
        earlier = IncidentNotice.objects.filter(
            incident=notice.incident_id, channel=notice.channel, pk__lt=notice.pk
        )
        if earlier.filter(due_at__isnull=False).exists():
            continue
        if claimed := claim_with_its_like(notice, now):
            return claimed
    return []


def claim_with_its_like(notice: IncidentNotice, now: datetime) -> list[IncidentNotice]:
    same = IncidentNotice.objects.filter(
        channel=notice.channel,
        is_clear=notice.is_clear,
        created=notice.created,
        due_at=notice.due_at,
        incident__kind=notice.incident.kind,
    )
    with transaction.atomic():
        rows = list(same.select_for_update(of=("self",)).select_related("incident").order_by("pk"))
        IncidentNotice.objects.filter(pk__in=[row.pk for row in rows]).update(due_at=now + LEASE)
    for row in rows:
        row.due_at = now + LEASE
    return rows


def record_notices(
    notices: Sequence[IncidentNotice], *, delivered: bool, outcome: str, now: datetime
) -> None:
    """Record a try; messages that failed are tried again for GIVE_UP_AFTER."""
    first = notices[0]
    keys = [notice.pk for notice in notices]
    held = IncidentNotice.objects.filter(pk__in=keys, due_at=first.due_at)
    tries = first.tries + 1
    if delivered:
        held.update(due_at=None, sent_at=now, tries=tries, outcome=outcome)
        return
    pause = BACK_OFF[min(first.tries, len(BACK_OFF) - 1)]
    is_over = now + pause - first.created > GIVE_UP_AFTER
    held.update(due_at=None if is_over else now + pause, tries=tries, outcome=outcome)


def delete_old_incidents(*, now: datetime) -> None:
    Incident.objects.filter(closed_at__lt=now - INCIDENTS_KEPT).delete()
