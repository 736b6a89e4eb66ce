"""What is over for good goes: old workers, links and sessions, the bin, files without a row."""

from __future__ import annotations

import asyncio
import logging
import uuid

from channels.db import database_sync_to_async

from generation import selectors, services
from generation.log_lines import log_line
from generation.selectors import clock

logger = logging.getLogger(__name__)

BETWEEN_BATCHES = 0.2
"""Seconds in which others get to write."""


async def sweep(worker_id: uuid.UUID) -> None:
    """Done by the worker that lives longest: once is enough.

    Bin and files in threads of their own: a large gallery must not hold up the facts.
    """
    eldest = await database_sync_to_async(selectors.eldest_worker)(clock.now())
    if eldest not in (None, worker_id):
        return
    await database_sync_to_async(services.forget_workers)(now=clock.now())
    await database_sync_to_async(services.forget_links)(now=clock.now())
    await database_sync_to_async(services.forget_sessions)()
    await database_sync_to_async(services.fill_search_text)(now=clock.now())
    empty_bin = database_sync_to_async(services.empty_bin, thread_sensitive=False)
    while gone := await empty_bin(now=clock.now()):
        logger.info("%s", log_line("bin_emptied", removed=gone))
        await asyncio.sleep(BETWEEN_BATCHES)
    sweep_files = database_sync_to_async(services.sweep_files, thread_sensitive=False)
    removed = await sweep_files(now=clock.now())
    if removed:
        logger.warning("%s", log_line("files_without_row", removed=removed))
