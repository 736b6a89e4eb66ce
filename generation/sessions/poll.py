"""An answer over HTTP: complete, bounded, and nothing is remembered of who asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from channels.db import database_sync_to_async

from generation import protocol, selectors
from generation.clock import clock
from generation.hub import hub, queue_frames, replay_lock
from generation.models import GenerationTask
from generation.sessions.session import Subscriber

if TYPE_CHECKING:
    from django.contrib.auth.models import User

MAX_EVENTS = 5_000
"""In one answer, at 300 to 600 bytes each; who misses more asks again from there."""


class PollResponse(Subscriber):
    """Frames in the order in which they were said."""

    def __init__(self, owner_id: int) -> None:
        self.owner_id = owner_id
        self.frames: list[str] = []
        self.remaining = MAX_EVENTS
        self.prefetched: dict[str, list[str]] = {}
        """What was read of tasks and has not been said yet."""

    async def send(self, frame: dict[str, Any]) -> None:
        self.frames.append(protocol.encode(frame))

    async def prefetch(self, tasks: Iterable[GenerationTask], known: Mapping[str, int]) -> None:
        """The logs of all of `tasks` at once, as far as they are not known and there is room."""
        spans: dict[str, tuple[int, int]] = {}
        for task in tasks:
            task_id = str(task.pk)
            after = known.get(task_id, 0)
            upto = min(task.newest_seq, after + self.remaining)
            self.prefetched[task_id] = []
            if upto > after:
                spans[task_id] = after, upto
                self.remaining -= upto - after
        if spans:
            async with replay_lock(self.owner_id):
                self.prefetched |= await database_sync_to_async(selectors.logs_between)(spans)

    async def follow(self, task: GenerationTask, *, after: int) -> int:
        """What is in the log now. Where the answer is full, `live` names more than was told."""
        task_id = str(task.pk)
        if task_id not in self.prefetched:
            await self.prefetch([task], {task_id: after})
        self.frames += self.prefetched.pop(task_id)
        return task.newest_seq

    async def follow_new(self, task: GenerationTask) -> None:
        await self.follow(task, after=0)
        task_ids = [str(task.pk)]
        places = await database_sync_to_async(selectors.queue_positions)(task_ids, now=clock.now())
        self.frames += queue_frames(places, task_ids)

    async def add_queue(self, owner_id: int, task_ids: list[str]) -> None:
        """Where these tasks stand, and how long a new one would wait."""
        self.frames += await database_sync_to_async(hub.queue_frames_of)(owner_id, task_ids)

    async def add_collection(self, owner_id: int) -> None:
        """Up to which revision what he keeps has changed, if ever."""
        revision = await database_sync_to_async(selectors.revision_of)(owner_id)
        if revision:
            await self.send(protocol.collection_frame(revision))

    async def cursors(self, asked: dict[str, int], user: User) -> dict[str, int]:
        """Of the tasks that were asked for."""
        return await database_sync_to_async(selectors.seqs_of_visible)(asked, user)

    @property
    def text(self) -> str:
        return f'{{"frames":[{",".join(self.frames)}]}}'
