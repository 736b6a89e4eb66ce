"""The response to one HTTP request of a client: complete, bounded, without state afterwards."""

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
"""Per response, at 300 to 600 bytes each; the client polls again for the rest."""


class PollResponse(Subscriber):
    """Collects frames in the order in which they were sent."""

    def __init__(self, owner_id: int) -> None:
        self.owner_id = owner_id
        self.frames: list[str] = []
        self.remaining = MAX_EVENTS
        self.prefetched: dict[str, list[str]] = {}
        """{task_id: frames} that were read but not sent yet."""

    async def send(self, frame: dict[str, Any]) -> None:
        self.frames.append(protocol.encode(frame))

    async def prefetch(self, tasks: Iterable[GenerationTask], known: Mapping[str, int]) -> None:
        """Read the unknown events of all `tasks` in one query, up to MAX_EVENTS in total."""
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
        """Send what the log holds now. If the response is full, `live` names a later event."""
        task_id = str(task.pk)
        if task_id not in self.prefetched:
            await self.prefetch([task], {task_id: after})
        self.frames += self.prefetched.pop(task_id)
        return task.newest_seq

    async def follow_new(self, task: GenerationTask) -> None:
        await self.follow(task, after=0)
        task_ids = [str(task.pk)]
        positions = await database_sync_to_async(selectors.queue_positions)(
            task_ids, now=clock.now()
        )
        self.frames += queue_frames(positions, task_ids)

    async def add_queue(self, owner_id: int, task_ids: list[str]) -> None:
        """Send the queue positions of these tasks and the expected wait for a new one."""
        self.frames += await database_sync_to_async(hub.queue_frames_of)(owner_id, task_ids)

    async def add_collection(self, owner_id: int) -> None:
        """Send the newest revision of the owner's collection, if it ever changed."""
        revision = await database_sync_to_async(selectors.revision_of)(owner_id)
        if revision:
            await self.send(protocol.collection_frame(revision))

    async def cursors(self, asked: dict[str, int], user: User) -> dict[str, int]:
        """{task_id: newest seq} of those in `asked` that the user may see."""
        return await database_sync_to_async(selectors.seqs_of_visible)(asked, user)

    @property
    def text(self) -> str:
        return f'{{"frames":[{",".join(self.frames)}]}}'
