"""Requests to addresses of the operator's own settings, which may be private."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from generation.shutdown import finish_within
from generation.webhooks import AllowedTargets

if TYPE_CHECKING:
    from generation.webhooks.webhook_client import WebhookClient

EVERYWHERE = ("0.0.0.0/0", "::/0")
CLOSE_TIMEOUT = 2.0


class TrustedClient:
    """The client of webhooks without its check of addresses, made with the first request."""

    def __init__(self) -> None:
        self.client: WebhookClient | None = None

    async def opened(self) -> WebhookClient:
        if self.client is None:
            # processes that send nothing start sooner without its libraries
            from generation.webhooks.webhook_client import WebhookClient

            made = await asyncio.to_thread(WebhookClient, AllowedTargets.of(EVERYWHERE))
            self.client = self.client or made
        return self.client

    async def close(self) -> None:
        if self.client is not None:
            await finish_within(CLOSE_TIMEOUT, self.client.aclose(), name="closing alarms")
