"""Whether an operator has drained this worker on the operations page."""

from __future__ import annotations

import logging
import uuid

from channels.db import database_sync_to_async

from accounts.log_format import log_line
from generation import selectors

logger = logging.getLogger(__name__)


class DrainState:
    """While it is `on` the worker claims nothing; its calls go on."""

    def __init__(self) -> None:
        self.on = False

    async def refresh(self, worker_id: uuid.UUID) -> bool:
        """Read the state again; returns whether the worker has a row."""
        drained = await database_sync_to_async(selectors.is_drained)(worker_id)
        if self.on != bool(drained):
            self.on = bool(drained)
            if self.on:
                logger.info("%s", log_line("worker_drained", worker=str(worker_id)[:8]))
            else:
                logger.info("%s", log_line("worker_undrained", worker=str(worker_id)[:8]))
        return drained is not None
