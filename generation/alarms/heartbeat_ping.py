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
        client = await self.http.opened()
        reply = await client.get(settings.HEARTBEAT_URL)
        if reply.is_delivered:
            self.outage.worked()
        else:
            # the address may hold a key
            self.outage.failed(reply.status or reply.outcome.value)

    async def close(self) -> None:
        await self.http.close()
