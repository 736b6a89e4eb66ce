"""Takes over slots whose leases ran out, and ends the calls that still occupy them."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from time import monotonic

from channels.db import database_sync_to_async

from accounts.log_context import logging_with
from accounts.log_format import log_line
from generation import services
from generation.clock import clock
from generation.exceptions import XinferenceUnreachable
from generation.loops import RETRY_DELAY
from generation.outages import Outage, database
from generation.services import AbandonedCall
from generation.worker.abandoned_calls import end_abandoned_call
from generation.worker.server_links import ServerLinks
from generation.xinference import XinferenceClient

logger = logging.getLogger(__name__)


class TakeOvers:
    """Those of one worker. `slots`: of each that is under way, whose leases the worker renews."""

    def __init__(self, servers: ServerLinks, outage: Callable[[str], Outage]) -> None:
        self.servers = servers
        self.outage = outage
        self.slots: dict[asyncio.Task[None], int] = {}
        self.clients: dict[int, XinferenceClient] = {}
        """Of the calls that are being ended, by slot."""

    async def take_over_expired(self, worker_id: uuid.UUID) -> None:
        abandoned = await database_sync_to_async(services.take_over_expired)(
            worker_id=worker_id, now=clock.now()
        )
        for slot in abandoned:
            with logging_with(**names_of(slot, worker_id)):
                logger.warning("%s", log_line("slot_taken_over"))
                task = asyncio.create_task(self.end_abandoned(slot), name=f"slot {slot.slot_id}")
            self.slots[task] = slot.slot_id
            task.add_done_callback(self.slots.pop)

    async def end_abandoned(self, slot: AbandonedCall) -> None:
        """End the call of a worker that is gone, then free its slot.

        A call that this worker cannot end counts as over after the stall limit, as one of a server
        that is silent.
        """
        ended, outage = False, self.outage(f"recover slot {slot.slot_id}")
        given_up_at = monotonic() + slot.stall.total_seconds()
        while not ended:
            try:
                client = self.servers.client_of(slot.server_id)
                if client is not None:
                    self.clients[slot.slot_id] = client
                    await end_abandoned_call(client, slot)
                elif monotonic() < given_up_at:
                    # its row is new, or this worker has no key for it
                    await self.servers.refresh()
                    raise XinferenceUnreachable("this worker cannot call its server")
                await database_sync_to_async(services.settle_slot)(
                    slot_id=slot.slot_id,
                    task_id=slot.task_id,
                    attempt=slot.attempt,
                    now=clock.now(),
                )
                ended = True
            except Exception as error:  # noqa: BLE001  a database that is away
                if not database.is_outage(error):
                    outage.failed(error)
                await asyncio.sleep(RETRY_DELAY)
            finally:
                self.clients.pop(slot.slot_id, None)


def names_of(slot: AbandonedCall, worker_id: uuid.UUID) -> dict[str, object]:
    """What log lines of a take-over name."""
    return {
        "task": str(slot.task_id),
        "attempt": slot.attempt,
        "worker": str(worker_id)[:8],
        "request": slot.correlation_id or None,
    }
