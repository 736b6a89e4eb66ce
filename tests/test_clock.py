"""Clocks of hosts differ; the database's clock decides."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from generation.clock import DatabaseClock


@pytest.mark.django_db
def test_a_host_with_a_wrong_clock_uses_database_time() -> None:
    clock = DatabaseClock()
    clock.ahead = timedelta(hours=3)

    clock.synchronise()

    if connection.vendor == "postgresql":
        assert abs(clock.now() - timezone.now()) < timedelta(minutes=1)
    else:
        assert clock.ahead == timedelta(hours=3)
