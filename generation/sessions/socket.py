"""Following tasks on a WebSocket: the hub attaches them to the socket's outbox."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from channels.db import database_sync_to_async

from generation import protocol, selectors
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput
from generation.hub import SocketOutbox, hub, replay_lock
from generation.limits import MAX_ATTACHED, MAX_QUEUED_FRAMES
from generation.models import GenerationTask
from generation.protocol.close_codes import CloseCode
from generation.selectors import LogPage
from generation.sessions.session import Principal, Subscriber

if TYPE_CHECKING:
    from django.contrib.auth.models import User

FIRST_EVENTS = MAX_QUEUED_FRAMES
"""Log events that are read with the task: nearly every log as a whole, but bounded, because the
page stays in memory until it is sent."""


class SocketSubscriber(Subscriber):
    def __init__(self, outbox: SocketOutbox) -> None:
        self.outbox = outbox
        self.first: LogPage | None = None
        """First log page of the task that is being attached."""

    async def send(self, frame: dict[str, Any]) -> None:
        await self.outbox.put(protocol.encode(frame))

    @contextmanager
    def expecting(self, task_id: str) -> Iterator[None]:
        # the hub queries for every expected id, so pass only valid ones
        known = selectors.readable_keys([task_id])
        try:
            with hub.expecting(self.outbox, [task_id]) if known else nullcontext():
                yield
        finally:
            self.first = None

    async def load_task(self, principal: Principal, task_id: str, *, after: int) -> GenerationTask:
        """Read the task and the first page of its log in one call to the database thread."""
        async with replay_lock(self.outbox.owner_id):
            task, self.first = await database_sync_to_async(self.read)(principal, task_id, after)
        return task

    def read(
        self, principal: Principal, task_id: str, after: int
    ) -> tuple[GenerationTask, LogPage | None]:
        """The task and its log page; no page if the owner's group has to be joined first."""
        task = principal.load(task_id)
        if task.owner_id not in self.outbox.groups or str(task.pk) != task_id:
            return task, None
        if after >= task.newest_seq:
            return task, LogPage(frames=[], more=False)
        return task, selectors.log_after(task_id=task_id, after=after, limit=FIRST_EVENTS)

    def check_capacity(self, task_id: str | None = None) -> None:
        if task_id not in self.outbox.cursors and len(self.outbox.cursors) >= MAX_ATTACHED:
            raise InvalidInput(ErrorCode.TOO_MANY_ATTACHED)

    async def lookup_failed(self) -> None:
        await self.outbox.end(CloseCode.LEAVING)

    def holding_notices(self) -> AbstractContextManager[None]:
        return self.outbox.holding_notices()

    async def follow(self, task: GenerationTask, *, after: int) -> int:
        task_id = str(task.pk)
        first, self.first = self.first, None
        await hub.attach(
            self.outbox, task_id=task_id, owner_id=task.owner_id, after=after, first=first
        )
        return self.outbox.cursors.get(task_id, task.newest_seq)

    async def follow_new(self, task: GenerationTask) -> None:
        # submitted twice with one key on this socket: it is attached already
        if str(task.pk) not in self.outbox.cursors:
            await self.follow(task, after=0)
        hub.publish_positions_of([str(task.pk)])

    def unfollow(self, task_id: str) -> None:
        hub.detach(self.outbox, task_id)

    async def cursors(self, asked: dict[str, int], user: User) -> dict[str, int]:
        """Cursors of every attached task, from memory; `asked` is not used."""
        return self.outbox.cursors

    def resend_missing(self, task_ids: set[str]) -> None:
        for task_id in task_ids & self.outbox.subscriptions.keys():
            self.outbox.subscriptions[task_id].catch_up()
