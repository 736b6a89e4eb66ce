"""The model server of the embedded worker: a real one, or the demo model in this process."""

from __future__ import annotations

from typing import Any

import httpx
from django.conf import settings

from generation.xinference import XinferenceClient, configured_client

DEMO_BASE_URL = "http://demo"


class ModelServer:
    """Makes the client; owns the demo model if there is no XINFERENCE_URL."""

    def __init__(self) -> None:
        self.demo: Any = None
        if not settings.XINFERENCE_URL:
            from demo_xinference import faults
            from demo_xinference.app import create_app

            self.demo = create_app(
                model=settings.XINFERENCE_MODEL,
                speed=settings.DEMO_SPEED,
                faults=faults.load(settings.DEMO_FAULTS) if settings.DEMO_FAULTS else (),
            )

    @property
    def is_demo(self) -> bool:
        return self.demo is not None

    @property
    def address(self) -> str:
        """Address for logs; it must be the same for all workers of one database."""
        return "the embedded demo model" if self.is_demo else str(settings.XINFERENCE_URL)

    def client(self) -> XinferenceClient:
        if self.demo is None:
            return configured_client()
        # as with a real server, an exception in the demo model is a response with status 500
        transport = httpx.ASGITransport(self.demo, raise_app_exceptions=False)
        return XinferenceClient(base_url=DEMO_BASE_URL, transport=transport)

    async def aclose(self) -> None:
        if self.demo is not None:
            await self.demo.aclose()
