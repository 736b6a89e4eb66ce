"""What this process must leave, because of an operator or because its database is a copy."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime

from channels.db import database_sync_to_async

from accounts.log_format import log_line
from generation import selectors, services
from generation.clock import clock
from generation.outages import cause_of
from generation.services import PauseLevel

logger = logging.getLogger(__name__)


class PauseState:
    """ALL until `refresh` has found that the database belongs to this DATA_DIR."""

    def __init__(self, *, of_worker: bool = True) -> None:
        """Other processes leave it to workers to log, and to tie the database to a DATA_DIR."""
        self.of_worker = of_worker
        self.level = PauseLevel.ALL
        self._logged = PauseLevel.NONE
        self._heartbeats: dict[uuid.UUID, datetime] = {}

    @property
    def on(self) -> bool:
        """Whether workers claim no tasks."""
        return self.level != PauseLevel.NONE

    @property
    def is_held(self) -> bool:
        """Whether they also end no calls, send nothing and delete nothing."""
        return self.level == PauseLevel.ALL

    async def refresh(self) -> None:
        """Read the state again; a failing disk leaves it as it is."""
        try:
            self._set(await database_sync_to_async(services.pause_level)(settle=self.of_worker))
            if self.is_held:
                await self._join_live_workers()
        except OSError as error:
            logger.warning("%s", log_line("installation_unread", cause=cause_of(error)))

    def _set(self, level: PauseLevel) -> None:
        self.level = level
        if level == self._logged or not self.of_worker:
            return
        self._logged = level
        if self.on:
            logger.warning("%s", log_line("worker_paused", leaves=level, do="manage.py resume"))
        else:
            logger.info("%s", log_line("worker_resumed"))

    async def _join_live_workers(self) -> None:
        """A heartbeat of another host's worker proves that the database is not a copy."""
        heartbeats = await database_sync_to_async(selectors.heartbeats)(clock.now())
        if selectors.any_heartbeat_between(self._heartbeats, heartbeats):
            await database_sync_to_async(services.join_data_dir)()
        self._heartbeats = heartbeats
