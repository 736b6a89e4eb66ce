"""Whether this worker is paused, by an operator or because its database is a copy."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime

from channels.db import database_sync_to_async

from accounts.log_format import log_line
from generation import selectors, services
from generation.clock import clock
from generation.outages import cause_of

logger = logging.getLogger(__name__)


class PauseState:
    """`on` until `refresh` has found that the database belongs to this DATA_DIR."""

    def __init__(self) -> None:
        self.on = True
        self._logged = False
        self._heartbeats: dict[uuid.UUID, datetime] = {}

    async def refresh(self) -> None:
        """Read the state again; a failing disk leaves it as it is."""
        try:
            self._set(on=not await database_sync_to_async(services.may_claim)())
            if self.on:
                await self._join_live_workers()
        except OSError as error:
            logger.warning("%s", log_line("installation_unread", cause=cause_of(error)))

    def _set(self, *, on: bool) -> None:
        if on and not self._logged:
            logger.warning("%s", log_line("worker_paused", do="manage.py resume"))
        elif self._logged and not on:
            logger.info("%s", log_line("worker_resumed"))
        self.on = self._logged = on

    async def _join_live_workers(self) -> None:
        """A heartbeat of another host's worker proves that the database is not a copy."""
        heartbeats = await database_sync_to_async(selectors.heartbeats)(clock.now())
        if selectors.any_heartbeat_between(self._heartbeats, heartbeats):
            await database_sync_to_async(services.join_data_dir)()
        self._heartbeats = heartbeats
