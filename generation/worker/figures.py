"""Figures for operators: of the queue, of what ended, and of the memory of model servers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from channels.db import database_sync_to_async

from generation import services
from generation.clock import clock
from generation.exceptions import XinferenceError
from generation.xinference import XinferenceClient


async def note_figures() -> None:
    """Also while paused: the operations page shows that the queue grows."""
    await database_sync_to_async(services.sample_queue)(now=clock.now())
    # hour by hour after a gap, so that heartbeats come in between
    while await database_sync_to_async(services.roll_up)(now=clock.now()):
        pass


async def note_memory(clients: Mapping[int, XinferenceClient]) -> None:
    """Note what each server publishes, by its id; one that hangs delays no other."""
    await asyncio.gather(*(note_memory_of(key, client) for key, client in clients.items()))


async def note_memory_of(server_id: int, client: XinferenceClient) -> None:
    """What a server that cannot be asked published before is left to become old."""
    try:
        memory = await client.memory()
    except XinferenceError:
        return
    await database_sync_to_async(services.record_memory)(
        server_id=server_id,
        used=memory.used,
        gpu_used=memory.gpu_used,
        gpu_total=memory.gpu_total,
        now=clock.now(),
    )
