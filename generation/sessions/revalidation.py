"""Checks the credentials of an open connection again every minute."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from channels.db import database_sync_to_async

from accounts.log_format import log_line
from accounts.security_log import SecurityEvent, log_event
from generation import selectors
from generation.hub import Outbox, hub
from generation.outages import cause_of, database
from generation.sessions.authentication import ConnectionRejected, Credentials

if TYPE_CHECKING:
    from generation.sessions.session import Session

logger = logging.getLogger(__name__)

INTERVAL = 60.0
"""Seconds between two checks of one connection."""


class Revalidation:
    """Closes the connection after a sign-out, a password change or a disabled account."""

    def __init__(self, credentials: Credentials, session: Session, outbox: Outbox) -> None:
        self.credentials = credentials
        self.session = session
        self.outbox = outbox
        self.timer: asyncio.TimerHandle | None = None
        self.running: asyncio.Task[None] | None = None

    def schedule(self) -> None:
        """Start the timer; a timer takes less memory per idle connection than a sleeping task."""

        def start() -> None:
            self.running = asyncio.create_task(self.revalidate())

        self.timer = asyncio.get_running_loop().call_later(INTERVAL, start)

    def stop(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        if self.running is not None:
            self.running.cancel()

    async def revalidate(self) -> None:
        try:
            self.session.user = await self.credentials.user()
            await self.detach_invisible()
        except ConnectionRejected as rejected:
            log_event(
                SecurityEvent.SESSION_ENDED,
                account=self.session.user.get_username(),
                address=self.credentials.address,
                code=int(rejected.close_code),
            )
            await self.outbox.close(rejected.close_code)
            return
        except Exception as error:  # noqa: BLE001  checked again in a minute
            if not database.is_outage(error):
                logger.warning("%s", log_line("credentials_unknown", cause=cause_of(error)))
        self.running = None
        self.schedule()

    async def detach_invisible(self) -> None:
        """Detach tasks that the user may no longer see, e.g. after losing a permission."""
        attached = list(self.outbox.cursors())
        visible = await database_sync_to_async(selectors.visible_among)(attached, self.session.user)
        for task_id in set(attached) - visible:
            hub.detach(self.outbox, task_id)
