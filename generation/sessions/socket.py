"""Following tasks on a WebSocket, which asks for each of them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from time import monotonic

from channels.db import database_sync_to_async
from django.db import Error as DatabaseProblem

from generation import process_metrics, selectors
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput, NotFound
from generation.hub import SocketOutbox, hub, replay_lock
from generation.identifiers import parse_uuid
from generation.limits import MAX_ATTACHED, MAX_QUEUED_FRAMES
from generation.models import GenerationTask
from generation.protocol.close_codes import CloseCode
from generation.selectors import LogPage
from generation.sessions.session import Session
from generation.sessions.subscriber import HubSubscriber

FIRST_EVENTS = MAX_QUEUED_FRAMES
"""Log events that are read with the task: nearly every log as a whole, but bounded, because the
page stays in memory until it is sent."""


class SocketSubscriber(HubSubscriber[SocketOutbox]):
    async def attach(self, session: Session, task_id: str, *, after: int) -> None:
        key = parse_uuid(task_id)
        if key is None:
            raise NotFound
        task_id = str(key)
        began = monotonic()
        try:
            with hub.expecting(self.outbox, [task_id]):
                async with replay_lock(self.outbox.owner_id):
                    task, first = await database_sync_to_async(self.read)(session, task_id, after)
                self.check_capacity(task_id)
                await session.send_task(task, after=after, first=first)
            kind = "reattach" if after else "attach"
            process_metrics.ATTACH.labels("socket", kind).observe(monotonic() - began)
        except DatabaseProblem:
            # lookup failed (database down): close so that the client reconnects
            await self.outbox.end(CloseCode.LEAVING)
            raise

    def read(
        self, session: Session, task_id: str, after: int
    ) -> tuple[GenerationTask, LogPage | None]:
        """The task and the first page of its log, in one call to the database thread.

        No page if the owner's group has to be joined first.
        """
        task = session.load(task_id)
        if task.owner_id not in self.outbox.groups:
            return task, None
        if after >= task.newest_seq:
            return task, LogPage(frames=[], more=False)
        return task, selectors.log_after(task_id=task_id, after=after, limit=FIRST_EVENTS)

    def check_capacity(self, task_id: str | None = None) -> None:
        """Raise InvalidInput if the socket is subscribed to too many tasks besides this one."""
        subscriptions = self.outbox.subscriptions
        if len(subscriptions) - (task_id in subscriptions) >= MAX_ATTACHED:
            raise InvalidInput(ErrorCode.TOO_MANY_ATTACHED)

    def submitting(self) -> AbstractContextManager[None]:
        """Delays notices too, so that `ack` precedes that of its own task."""
        self.check_capacity()
        return self.outbox.holding_notices()
