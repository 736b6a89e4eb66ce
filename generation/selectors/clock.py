"""One clock for all processes: the database's."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone


class DatabaseClock:
    """Tells the database's time without asking it each time.

    Leases and durations compare times that different hosts wrote. Hosts disagree; `synchronise`
    notes by how much this one does. SQLite has no clock of its own, and no second host.
    """

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return timezone.now() + self.ahead

    def synchronise(self) -> None:
        """Ask once; called at start and with every heartbeat."""
        if connection.vendor != "postgresql":
            return
        before = timezone.now()
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            told: datetime = cursor.fetchone()[0]
        self.ahead = told - (before + (timezone.now() - before) / 2)


clock = DatabaseClock()
"""This process's."""
