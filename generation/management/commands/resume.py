"""`manage.py resume`: workers go on after `pause`, or in a restored copy."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from generation import selectors, services
from generation.clock import clock

POLL_INTERVAL = 0.5
HEARTBEATS = 0.4
"""Of a lease: two heartbeats and a little more."""


class Command(BaseCommand):
    help = "Let workers claim tasks again: after `manage.py pause`, or in a restored copy."

    def handle(self, *args: Any, **options: Any) -> None:
        clock.synchronise()
        if self.has_living_workers():
            services.join_data_dir()
        done = services.resume(now=clock.now())
        self.stdout.write("Resumed.")
        if done.copy:
            self.stdout.write(
                "This database is a copy and now has its own id. "
                f"Calls left to the original installation: {done.calls}"
            )

    def has_living_workers(self) -> bool:
        """Whether heartbeats arrive in this database; those in a copy stand still."""
        before = selectors.heartbeats(clock.now())
        end = time.monotonic() + HEARTBEATS * settings.GENERATION_LEASE.total_seconds()
        while before and time.monotonic() < end:
            time.sleep(POLL_INTERVAL)
            if selectors.any_heartbeat_between(before, selectors.heartbeats(clock.now())):
                return True
        return False
