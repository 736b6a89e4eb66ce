"""Figures for operators: of the queue, of what ended, and of the model server's memory."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Sequence

from channels.db import database_sync_to_async

from generation import services
from generation.clock import clock
from generation.exceptions import XinferenceError
from generation.xinference import ServerMemory, XinferenceClient


async def note_figures() -> None:
    """Also while paused: the operations page shows that the queue grows."""
    await database_sync_to_async(services.sample_queue)(now=clock.now())
    # hour by hour after a gap, so that heartbeats come in between
    while await database_sync_to_async(services.roll_up)(now=clock.now()):
        pass


async def note_server_memory(clients: Sequence[XinferenceClient], worker_id: uuid.UUID) -> None:
    """Note what the model server publishes; nothing if there are several or it cannot be asked."""
    memory = ServerMemory()
    if len(clients) == 1:
        with contextlib.suppress(XinferenceError):
            memory = await clients[0].memory()
    await database_sync_to_async(services.record_server_memory)(
        worker_id=worker_id,
        used=memory.used,
        gpu_used=memory.gpu_used,
        gpu_total=memory.gpu_total,
    )
