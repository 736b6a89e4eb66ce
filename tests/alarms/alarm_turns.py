"""Turns of the alarm watcher, with time that passes between them, and what was received."""

from __future__ import annotations

from datetime import timedelta

from channels.db import database_sync_to_async
from django.db.models import F

from generation.alarms import AlarmWatcher
from generation.models import (
    AlarmWatch,
    Incident,
    IncidentNotice,
)
from generation.webhooks import new_secret
from tests.webhooks.receiver import Receiver

SECRET = new_secret()
OPERATOR = "ops@mail.example"
LONG = 600.0
"""Seconds after which every cause has lasted long enough, and every all-clear is sent."""


@database_sync_to_async
def pass_time(seconds: float) -> None:
    """Let what was seen until now be so many seconds older."""
    ago = timedelta(seconds=seconds)
    AlarmWatch.objects.update(due_at=F("due_at") - ago)
    Incident.objects.update(since=F("since") - ago)
    Incident.objects.update(clear_since=F("clear_since") - ago)
    IncidentNotice.objects.update(due_at=F("due_at") - ago)


async def turns(watcher: AlarmWatcher) -> None:
    """Three turns with a long time between: what lasts is sent, and what is over too."""
    for _number in range(3):
        await watcher.take_turn()
        await pass_time(LONG)


def received(alerts: Receiver) -> list[tuple[str, str, str]]:
    """(type, kind, subject) of each message, whose signature is checked."""
    contents = [request.verified(SECRET) for request in alerts.requests]
    return [(each["type"], each["data"]["kind"], each["data"]["subject"]) for each in contents]


def only_incident() -> int:
    return Incident.objects.get().pk
