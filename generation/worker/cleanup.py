"""Deletes old workers, expired links and sessions, old trash, accounts, and files without a row."""

from __future__ import annotations

import asyncio
import logging
import uuid

from channels.db import database_sync_to_async

from accounts.log_format import log_line
from generation import selectors, services
from generation.clock import clock
from generation.own_connection import with_own_connection

logger = logging.getLogger(__name__)

BATCH_PAUSE = 0.2
"""Seconds between batches, in which others can write."""


async def clean_up(worker_id: uuid.UUID) -> None:
    """Clean up, if this is the oldest live worker: one is enough.

    Trash and files are handled outside the database thread, so that they do not delay events.
    """
    oldest = await database_sync_to_async(selectors.oldest_worker)(clock.now())
    if oldest not in (None, worker_id):
        return
    await database_sync_to_async(services.delete_old_workers)(now=clock.now())
    await database_sync_to_async(services.delete_expired_links)(now=clock.now())
    await database_sync_to_async(services.delete_expired_claims)(now=clock.now())
    await database_sync_to_async(services.delete_expired_sessions)()
    await database_sync_to_async(services.fill_search_text)(now=clock.now())
    await database_sync_to_async(services.delete_past_usage)(now=clock.now())
    await database_sync_to_async(services.delete_old_attempts)(now=clock.now())
    await database_sync_to_async(services.delete_old_incidents)(now=clock.now())
    await database_sync_to_async(services.delete_old_rollups)(now=clock.now())
    await database_sync_to_async(services.delete_old_web_processes)(now=clock.now())
    await delete_due_accounts()
    batches = services.purge_trash(now=clock.now())
    purge_next = with_own_connection(lambda: next(batches, 0))
    while deleted := await purge_next():
        logger.info("%s", log_line("trash_emptied", removed=deleted))
        await asyncio.sleep(BATCH_PAUSE)
    await with_own_connection(services.recount_storage)()
    removed = await with_own_connection(services.remove_orphaned_files)(now=clock.now())
    if removed:
        logger.warning("%s", log_line("files_without_row", removed=removed))


async def delete_due_accounts() -> None:
    """Delete the accounts whose deletion is due; those with a running task at the next cleanup."""
    close_due_accounts = with_own_connection(services.close_due_accounts)
    delete_account = with_own_connection(services.delete_account)
    for user in await close_due_accounts(now=clock.now()):
        while deleted := await delete_account(user=user):
            logger.info("%s", log_line("account_emptied", user=user.pk, removed=deleted))
            await asyncio.sleep(BATCH_PAUSE)
