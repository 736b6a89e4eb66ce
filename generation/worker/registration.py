"""Creates and ends the row of a worker."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import uuid

from channels.db import database_sync_to_async
from django.conf import settings

from accounts.log_format import log_line
from generation import selectors, services
from generation.clock import clock
from generation.outages import cause_of

logger = logging.getLogger(__name__)

RETIRE_TIMEOUT = 5.0


async def register(*, version: str, model_server: str) -> uuid.UUID:
    """Create the row of this process and return its id.

    Raises WorkerRefused if live workers call other model servers than `model_server`; empty skips
    the check.
    """
    # first: a worker of this host whose process is gone must not count as live
    await expire_dead_workers()
    worker = await database_sync_to_async(services.register_worker)(
        host=platform.node(),
        pid=os.getpid(),
        version=version,
        model_server=model_server,
        now=clock.now(),
    )
    line = log_line(
        "worker_started",
        worker=str(worker.pk)[:8],
        host=worker.host,
        pid=worker.pid,
        version=version,
        model_server=worker.model_server or None,
    )
    logger.info("%s", line)
    return worker.pk


async def expire_dead_workers() -> None:
    """End the leases of workers of this host whose process no longer exists.

    Only without Redis, where all processes run on one host: containers may share a host name but
    not their process ids.
    """
    if settings.REDIS_URL:
        return
    for worker_id, pid in await database_sync_to_async(selectors.workers_of_host)(platform.node()):
        if not process_exists(pid):
            await database_sync_to_async(services.expire_worker)(
                worker_id=worker_id, now=clock.now()
            )


def process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


async def retire(worker_id: uuid.UUID, *, seconds: float) -> None:
    """Record that this worker ended; without a database its missing heartbeats show it."""
    try:
        async with asyncio.timeout(RETIRE_TIMEOUT):
            await database_sync_to_async(services.retire_worker)(
                worker_id=worker_id, now=clock.now()
            )
    except Exception as error:  # noqa: BLE001
        logger.warning("%s", log_line("worker_not_signed_off", cause=cause_of(error)))
    logger.info("%s", log_line("worker_stopped", worker=str(worker_id)[:8], seconds=seconds))
