"""Whether somebody may go on listening: asked again every minute while he does."""

from __future__ import annotations

import asyncio
import logging

from channels.db import database_sync_to_async

from generation import selectors
from generation.hub import Outbox, hub
from generation.log_lines import cause_of, database, log_line
from generation.security_log import SecurityEvent, log_event
from generation.sessions.authentication import Credentials, Refused
from generation.sessions.session import Visitor

logger = logging.getLogger(__name__)

ASK_AGAIN = 60.0
"""Seconds after which the credentials of an open connection are looked up again."""


class Standing:
    """Signing out, a changed password or a disabled account ends open connections too."""

    def __init__(self, credentials: Credentials, visitor: Visitor, outbox: Outbox) -> None:
        self.credentials = credentials
        self.visitor = visitor
        self.outbox = outbox
        self.timer: asyncio.TimerHandle | None = None
        self.asking: asyncio.Task[None] | None = None

    def ask_later(self) -> None:
        """A timer, not a task that sleeps: there is one for every idle connection."""

        def ask() -> None:
            self.asking = asyncio.create_task(self.ask_again())

        self.timer = asyncio.get_running_loop().call_later(ASK_AGAIN, ask)

    def stop(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        if self.asking is not None:
            self.asking.cancel()

    async def ask_again(self) -> None:
        try:
            self.visitor.user = await self.credentials.user()
            await self.keep_what_may_be_seen()
        except Refused as refused:
            log_event(
                SecurityEvent.SESSION_ENDED,
                account=self.visitor.user.get_username(),
                address=self.credentials.address,
                code=int(refused.close_code),
            )
            await self.outbox.close(refused.close_code)
            return
        except Exception as error:  # noqa: BLE001  asked again in a minute
            if not database.met(error):
                logger.warning("%s", log_line("credentials_unknown", cause=cause_of(error)))
        self.asking = None
        self.ask_later()

    async def keep_what_may_be_seen(self) -> None:
        """A permission that was taken away also ends what was attached by it."""
        attached = list(self.outbox.cursors)
        visible = await database_sync_to_async(selectors.visible_among)(attached, self.visitor.user)
        for task_id in set(attached) - visible:
            hub.detach(self.outbox, task_id)
