"""The response to one HTTP request of a client: complete, bounded, without state afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from channels.db import database_sync_to_async

from generation import protocol, selectors
from generation.clock import clock
from generation.exceptions import LimitReached
from generation.hub import figures, hub, queue_frames, replay_lock
from generation.models import GenerationTask
from generation.selectors import Allowances, LogPage
from generation.sessions.session import Session
from generation.sessions.subscriber import Subscriber

if TYPE_CHECKING:
    from django.contrib.auth.models import User

MAX_EVENTS = 5_000
"""Per response, at 300 to 600 bytes each; the client polls again for the rest."""


class PollResponse(Subscriber):
    """Collects frames in the order in which they were sent."""

    def __init__(self, owner_id: int) -> None:
        self.owner_id = owner_id
        self.frames: list[str] = []
        self.status = 200
        self.headers = {"Cache-Control": "no-store"}

    async def send(self, frame: dict[str, Any]) -> None:
        self.frames.append(protocol.encode(frame))

    async def follow(self, task: GenerationTask, *, after: int, first: LogPage | None) -> int:
        """Send what the log holds now. If the response is full, `live` names a later event."""
        task_id = str(task.pk)
        page = first or (await self.read_logs([task], {task_id: after}))[task_id]
        self.frames += (frame for _seq, frame in page.frames)
        return task.newest_seq

    async def follow_new(self, task: GenerationTask) -> None:
        await self.follow(task, after=0, first=None)
        task_ids = [str(task.pk)]
        read = database_sync_to_async(selectors.queue_positions)
        self.frames += queue_frames(await read(task_ids, now=clock.now()), task_ids)

    def note_limits(self, allowances: Allowances) -> None:
        limits = selectors.allowances_data(allowances)
        self.headers |= protocol.rate_limit_headers(limits, now=clock.now().timestamp())

    def note_reached(self, reached: LimitReached) -> None:
        self.status = 429
        self.headers |= protocol.reached_headers(reached.data, now=clock.now().timestamp())

    async def cursors(self, asked: dict[str, int], user: User) -> dict[str, int]:
        """{task_id: newest seq} of those in `asked` that the user may see."""
        return await database_sync_to_async(selectors.seqs_of_visible)(asked, user)

    async def poll(
        self, session: Session, cursors: Mapping[str, int], since: datetime | None
    ) -> None:
        """Send everything that a stream would have sent for these `cursors`."""
        figures.polls += 1
        tasks = await session.send_hello(cursors, since)
        logs = await self.read_logs(tasks, cursors)
        for task in tasks:
            known = cursors.get(str(task.pk), 0)
            # a client that has events of the task has its `task` frame too
            await session.send_task(
                task, after=known, first=logs[str(task.pk)], introduce=not known
            )
        self.frames += await database_sync_to_async(hub.queue_frames_of)(self.owner_id, list(logs))
        revision = await database_sync_to_async(selectors.revision_of)(self.owner_id)
        if revision:
            await self.send(protocol.collection_frame(revision))
        read_limits = database_sync_to_async(selectors.shown_limits)
        if limits := await read_limits(self.owner_id, now=clock.now()):
            await self.send(protocol.limits_frame(limits))

    async def read_logs(
        self, tasks: Iterable[GenerationTask], known: Mapping[str, int]
    ) -> dict[str, LogPage]:
        """The unknown events of all `tasks` from one query, up to MAX_EVENTS in total."""
        spans: dict[str, tuple[int, int]] = {}
        remaining = MAX_EVENTS
        for task in tasks:
            task_id = str(task.pk)
            after = known.get(task_id, 0)
            upto = max(after, min(task.newest_seq, after + remaining))
            spans[task_id] = after, upto
            remaining -= upto - after
        async with replay_lock(self.owner_id):
            return await database_sync_to_async(selectors.logs_between)(spans)

    @property
    def text(self) -> str:
        return f'{{"frames":[{",".join(self.frames)}]}}'
