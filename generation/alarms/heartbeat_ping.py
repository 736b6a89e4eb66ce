"""Asks HEARTBEAT_URL every minute: a service elsewhere alarms when no worker does any more."""

from __future__ import annotations

import logging

from django.conf import settings

from generation.alarms.trusted_client import TrustedClient
from generation.outages import Outage

logger = logging.getLogger(__name__)

PING_INTERVAL = 60.0


class HeartbeatPing:
    def __init__(self) -> None:
        self.http = TrustedClient()
        self.outage = Outage(logger, "heartbeat_url")

    async def ping(self) -> None:
        """Log the first failure and the first success after it."""
        delivered, outcome = await self.get()
        if delivered:
            self.outage.worked()
        else:
            # without the address, which may hold a key
            self.outage.failed(outcome)

    async def get(self) -> tuple[bool, str]:
        """Whether the answer was 2xx, and what became of the request."""
        reply = await (await self.http.opened()).get(settings.HEARTBEAT_URL)
        return reply.is_delivered, f"{reply.outcome} {reply.status or ''}".strip()

    async def close(self) -> None:
        await self.http.close()
