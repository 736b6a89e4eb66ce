"""`manage.py ask_model_server`: ask the model server now which models it serves."""

from __future__ import annotations

import asyncio
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from generation.choices import KeyUse
from generation.clock import clock
from generation.error_codes import ErrorCode
from generation.models import ModelState
from generation.worker.model_probe import ModelProbe
from generation.xinference import configured_client


class Command(BaseCommand):
    help = (
        "Ask the model server what it serves. A key that it refused is tried once more, for all "
        "workers, at most once a minute: ten bad tries in five minutes ban this address."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.XINFERENCE_URL:
            raise CommandError("XINFERENCE_URL is not set: there is no model server to ask.")
        if asyncio.run(self.ask()) == KeyUse.REFUSED:
            raise CommandError("The refused key was tried less than a minute ago. Ask again soon.")
        states = list(ModelState.objects.order_by("name"))
        for state in states:
            self.stdout.write(f"{state.name}: {state_text(state)}")
        if not any(state.ready for state in states):
            raise CommandError("No model is ready.")

    async def ask(self) -> KeyUse:
        client = configured_client()
        model_probe = ModelProbe(client, demo=False)
        try:
            await database_sync_to_async(clock.synchronise)()
            await model_probe.probe()
        finally:
            await client.aclose()
        return model_probe.key


def state_text(state: ModelState) -> str:
    if state.ready:
        return "ready"
    if state.loading:
        return "loading"
    code = state.error_code or ErrorCode.MODEL_DOWN
    return f"{code}: {state.error_detail}" if state.error_detail else code
