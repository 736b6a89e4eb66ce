"""One clock for all processes: the database's."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from generation import sql

MAX_ROUND_TRIP = timedelta(milliseconds=100)
"""The result of a slower query is too inexact."""


class DatabaseClock:
    """The database's time, without a query per call.

    Leases and durations compare times of different hosts, whose clocks differ; `synchronise`
    measures this host's difference. SQLite has no clock of its own, and no second host.
    """

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return timezone.now() + self.ahead

    def synchronise(self) -> None:
        """Measure the difference; called at start and with every heartbeat."""
        if connection.vendor != "postgresql":
            return
        with connection.cursor() as cursor:
            before = timezone.now()
            cursor.execute(sql.TIME_OF_POSTGRESQL)
            server_time: datetime = cursor.fetchone()[0]
            took = timezone.now() - before
        if took < MAX_ROUND_TRIP:
            self.ahead = server_time - (before + took / 2)


clock = DatabaseClock()
"""This process's."""
