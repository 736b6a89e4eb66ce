"""`manage.py resume`: let workers claim tasks again after `pause`, or in a restored copy."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from generation import selectors, services
from generation.clock import clock

POLL_INTERVAL = 0.5
HEARTBEAT_WAIT = 0.4
"""Fraction of a lease: a little longer than two heartbeats."""


class Command(BaseCommand):
    help = "Let workers claim tasks again: after `manage.py pause`, or in a restored copy."

    def handle(self, *args: Any, **options: Any) -> None:
        clock.synchronise()
        if self.has_living_workers():
            services.join_data_dir()
        result = services.resume(now=clock.now())
        self.stdout.write("Resumed.")
        if result.copy:
            self.stdout.write(
                "This database is a copy and now has its own id. "
                f"Calls left to the original installation: {result.calls}"
            )

    def has_living_workers(self) -> bool:
        """Whether new heartbeats arrive; in a copied database they do not."""
        before = selectors.heartbeats(clock.now())
        deadline = time.monotonic() + HEARTBEAT_WAIT * settings.GENERATION_LEASE.total_seconds()
        while before and time.monotonic() < deadline:
            time.sleep(POLL_INTERVAL)
            if selectors.any_heartbeat_between(before, selectors.heartbeats(clock.now())):
                return True
        return False
