"""`manage.py ask_model_server`: ask the model server now which models it serves."""

from __future__ import annotations

import asyncio
from typing import Any

from channels.db import database_sync_to_async
from django.core.management.base import BaseCommand, CommandError

from generation import services
from generation.clock import clock
from generation.error_codes import ErrorCode
from generation.models import ModelState
from generation.worker.server_links import ServerLinks


class Command(BaseCommand):
    help = (
        "Ask the model servers what they serve. A refused key is tried once more, for all "
        "workers, at most once a minute: ten bad tries in five minutes ban this address."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        asyncio.run(self.ask())
        states = list(ModelState.objects.order_by("name"))
        for state in states:
            self.stdout.write(f"{state.name}: {state_text(state)}")
        if not any(state.ready for state in states):
            raise CommandError("No model is ready.")

    async def ask(self) -> None:
        servers = ServerLinks()
        try:
            await database_sync_to_async(clock.synchronise)()
            await database_sync_to_async(services.sync_named_servers)(now=clock.now())
            await servers.refresh()
            if not servers.callable_ids:
                raise CommandError(
                    "There is no model server to ask: set XINFERENCE_URL, or enable a server in "
                    "the admin."
                )
            await servers.probe_all()
            if not servers.askable_clients:
                raise CommandError(
                    "The refused key was tried less than a minute ago. Ask again soon."
                )
        finally:
            await servers.aclose()


def state_text(state: ModelState) -> str:
    if state.ready:
        return "ready"
    if state.loading:
        return "loading"
    code = state.error_code or ErrorCode.MODEL_DOWN
    return f"{code}: {state.error_detail}" if state.error_detail else code
