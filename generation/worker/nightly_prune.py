"""Continues the nightly run of retention while nothing more urgent is to do."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable

from channels.db import database_sync_to_async

from accounts.log_format import log_line
from generation import services
from generation.clock import clock
from generation.own_connection import with_own_connection
from generation.worker.idle_lock import IdleLock

logger = logging.getLogger(__name__)

BATCH_PAUSE = 0.2
"""Seconds between batches, in which others can write."""


async def prune(worker_id: uuid.UUID, idle_lock: IdleLock, may_go_on: Callable[[], bool]) -> None:
    """Prune batch after batch, if it is time, until the run ends or `may_go_on` is False.

    Another call, of this or another worker, continues with the next batch.
    """
    run = await database_sync_to_async(services.take_run)(worker_id=worker_id, now=clock.now())
    if run is None:
        return
    continue_run = with_own_connection(services.continue_run)
    more = True
    while more and may_go_on():
        async with idle_lock.held():
            more = await continue_run(run.pk, worker_id=worker_id, now=clock.now())
        await asyncio.sleep(BATCH_PAUSE)
    if not more:
        logger.info("%s", log_line("prune_ended", day=run.day))
