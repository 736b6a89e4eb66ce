"""`manage.py test_alarms`: send a test message to ALERT_URL and ADMINS, and ask HEARTBEAT_URL."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from generation.alarms import AlarmWatcher, HeartbeatPing, channels, test_message
from generation.clock import clock

Outcomes = dict[str, tuple[bool, str]]


class Command(BaseCommand):
    help = "Send a test message to ALERT_URL and ADMINS, and ask HEARTBEAT_URL once."

    def handle(self, *args: Any, **options: Any) -> None:
        outcomes = asyncio.run(self.send())
        if not outcomes:
            raise CommandError("None of ALERT_URL, ADMINS and HEARTBEAT_URL is set.")
        for name, (_delivered, outcome) in outcomes.items():
            self.stdout.write(f"{name}: {outcome or 'sent'}")
        failed = [name for name, (delivered, _outcome) in outcomes.items() if not delivered]
        if failed:
            raise CommandError(f"Not delivered: {', '.join(failed)}")

    async def send(self) -> Outcomes:
        """Name of the setting → whether it was delivered, and what became of it."""
        watcher, ping = AlarmWatcher(), HeartbeatPing()
        compose = partial(test_message, clock.now())
        try:
            outcomes = {
                channel.label: await watcher.send(channel, compose) for channel in channels()
            }
            if settings.HEARTBEAT_URL:
                outcomes["HEARTBEAT_URL"] = await ping.get()
            return outcomes
        finally:
            await watcher.stop()
            await ping.close()
