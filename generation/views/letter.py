"""An answer over HTTP: complete, bounded, and nothing is remembered of who asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channels.db import database_sync_to_async

from generation import protocol, selectors
from generation.conversation import Following
from generation.hub import hub
from generation.hub.places import ModelsFrames, queue_frame
from generation.models import GenerationTask
from generation.selectors import clock

if TYPE_CHECKING:
    from django.contrib.auth.models import User

PAGE = 1_000
MOST_EVENTS = 5_000
"""In one answer, at 300 to 600 bytes each; who misses more asks again from there."""


class Letter(Following):
    """Frames in the order in which they were said."""

    def __init__(self) -> None:
        self.frames: list[str] = []
        self.events = 0

    async def say(self, frame: dict[str, Any]) -> None:
        self.frames.append(protocol.encode(frame))

    async def follow(self, task: GenerationTask, *, after: int) -> int:
        """What is in the log now. Where the answer is full, `live` names more than was told."""
        reached, more = after, True
        while more and self.events < MOST_EVENTS:
            page = await database_sync_to_async(selectors.log_after)(
                task_id=str(task.pk), after=reached, limit=min(PAGE, MOST_EVENTS - self.events)
            )
            self.frames += [frame for _seq, frame in page.frames]
            self.events += len(page.frames)
            reached, more = page.frames[-1][0] if page.frames else reached, page.more
        return max(reached, task.newest_seq)

    async def follow_new(self, task: GenerationTask) -> None:
        await self.follow(task, after=0)
        places = await database_sync_to_async(selectors.queue_places)(
            [str(task.pk)], now=clock.now()
        )
        if places:
            self.frames.append(queue_frame(places))

    async def tell_outlook(self, owner_id: int, task_ids: list[str]) -> None:
        """Where these tasks stand, and how long a new one would wait."""
        outlook = await database_sync_to_async(hub.places.read)([owner_id])
        places = outlook.places(task_ids)
        if places:
            self.frames.append(queue_frame(places))
        self.frames.append(ModelsFrames(outlook, hub.places.paces).of(owner_id))

    async def cursors(self, asked: dict[str, int], user: User) -> dict[str, int]:
        """Of the tasks that were asked for."""
        return await database_sync_to_async(selectors.seqs_of_visible)(asked, user)

    @property
    def text(self) -> str:
        return f'{{"frames":[{",".join(self.frames)}]}}'
