"""What it means on a socket to follow a task: the hub attaches it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from generation import protocol
from generation.choices import ErrorCode
from generation.conversation import Following
from generation.exceptions import InvalidInput
from generation.hub import Outbox, hub
from generation.models import GenerationTask

if TYPE_CHECKING:
    from django.contrib.auth.models import User

MAX_ATTACHED = 200


class Attached(Following):
    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox

    async def say(self, frame: dict[str, Any]) -> None:
        await self.outbox.put(protocol.encode(frame))

    def check_room(self, task_id: str | None = None) -> None:
        if task_id not in self.outbox.cursors and len(self.outbox.cursors) >= MAX_ATTACHED:
            raise InvalidInput(ErrorCode.TOO_MANY_ATTACHED)

    def holding_notices(self) -> AbstractContextManager[None]:
        return self.outbox.holding_notices()

    async def follow(self, task: GenerationTask, *, after: int) -> int:
        task_id = str(task.pk)
        await hub.attach(self.outbox, task_id=task_id, owner_id=task.owner_id, after=after)
        return self.outbox.cursors.get(task_id, task.newest_seq)

    async def follow_new(self, task: GenerationTask) -> None:
        # asked twice on this socket: it is attached already, and nothing is told twice
        if str(task.pk) not in self.outbox.cursors:
            await self.follow(task, after=0)
        await hub.tell_places_of(self.outbox, [str(task.pk)])

    def let_go(self, task_id: str) -> None:
        hub.detach(self.outbox, task_id)

    async def cursors(self, asked: dict[str, int], user: User) -> dict[str, int]:
        """Of every attached task, asked for or not: the hub's memory answers."""
        return dict(self.outbox.cursors)

    def remind(self, task_ids: set[str]) -> None:
        for task_id in task_ids:
            hub.remind(self.outbox, task_id)
