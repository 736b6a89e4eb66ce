"""Whether this worker is paused: by an operator, or because its database is a copy."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime

from channels.db import database_sync_to_async

from generation import selectors, services
from generation.log_lines import cause_of, log_line
from generation.selectors import clock

logger = logging.getLogger(__name__)


class Pause:
    """`on` until the first `look` has found that this is the place of the database."""

    def __init__(self) -> None:
        self.on = True
        self._told = False
        self._heard: dict[uuid.UUID, datetime] = {}

    async def look(self) -> None:
        """Before the worker begins, then with each heartbeat; a disk that fails changes nothing."""
        try:
            self._tell(on=not await database_sync_to_async(services.may_work)())
            if self.on:
                await self._join_the_living()
        except OSError as error:
            logger.warning("%s", log_line("installation_unread", cause=cause_of(error)))

    def _tell(self, *, on: bool) -> None:
        if on and not self._told:
            logger.warning("%s", log_line("worker_paused", do="manage.py resume"))
        elif self._told and not on:
            logger.info("%s", log_line("worker_resumed"))
        self.on = self._told = on

    async def _join_the_living(self) -> None:
        """Another host's worker that goes on shows that the database is no copy."""
        heard = await database_sync_to_async(selectors.heartbeats)(clock.now())
        if selectors.is_living(self._heard, heard):
            await database_sync_to_async(services.join)()
        self._heard = heard
