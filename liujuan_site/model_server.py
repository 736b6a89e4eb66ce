"""The servers of the embedded worker: real ones, or the demo model in this process."""

from __future__ import annotations

from typing import Any

import httpx
from django.conf import settings

from generation import services
from generation.models import ModelServer
from generation.worker.server_links import connect
from generation.xinference import XinferenceClient

DEMO_BASE_URL = "http://demo"


class EmbeddedModel:
    """Owns the demo model if the settings name no model server."""

    def __init__(self) -> None:
        self.demo: Any = None
        if services.uses_demo_model():
            from demo_xinference import faults
            from demo_xinference.app import create_app

            self.demo = create_app(
                model=settings.XINFERENCE_MODEL,
                speed=settings.DEMO_SPEED,
                faults=faults.load(settings.DEMO_FAULTS) if settings.DEMO_FAULTS else (),
            )

    def connect(self, server: ModelServer) -> XinferenceClient | None:
        """A client of this server, which may be the demo model; None if that does not run here."""
        if self.demo is None or not server.is_demo:
            return connect(server)
        # as with a real server, an exception in the demo model is a response with status 500
        transport = httpx.ASGITransport(self.demo, raise_app_exceptions=False)
        return XinferenceClient(base_url=DEMO_BASE_URL, transport=transport)

    async def aclose(self) -> None:
        if self.demo is not None:
            await self.demo.aclose()
