"""Waits for the events of one task, for one HTTP request."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from time import monotonic

from accounts.credentials import SignedIn
from generation.choices import TERMINAL
from generation.hub import Outbox, hub
from generation.models import GenerationTask
from generation.outages import database
from generation.protocol.close_codes import CloseCode
from generation.sessions.authentication import ConnectionRejected
from generation.shutdown import cancel_and_wait

logger = logging.getLogger(__name__)

CONTINUES = frozenset({CloseCode.LEAVING, CloseCode.FLOODING})
"""Why waiting ends early while the task goes on: the server stops, or too many requests wait."""


class TaskWatch(Outbox):
    """The frames of one task until it is over."""

    transport = "request"

    def __init__(self, owner_id: int) -> None:
        super().__init__(owner_id=owner_id, close=self.end)
        self.changed = asyncio.Event()
        self.code: int | None = None
        self.is_over = False
        self.following: asyncio.Task[None] | None = None

    async def end(self, code: int) -> None:
        self.code = code
        self.changed.set()

    def wake(self) -> None:
        self.changed.set()

    def notify(self, task_id: str, frame: str) -> None:
        """Ignore new tasks."""

    def follow(self, task: GenerationTask, *, after: int) -> None:
        """Begin with the event after `after`."""
        self.following = asyncio.create_task(self.attach(task, after=after))

    async def attach(self, task: GenerationTask, *, after: int) -> None:
        """Attach to the task. A replay ends only while its frames are fetched."""
        try:
            await hub.attach(self, str(task.pk), task.owner_id, min(after, task.newest_seq))
        except Exception as error:
            if not database.is_outage(error):
                logger.exception("task %s cannot be followed", task.pk)
            await self.end(CloseCode.LEAVING)

    async def fetch(self, *, within: float) -> list[tuple[int, str]]:
        """[(seq, frame)] of the next events, after at most `within` seconds.

        Raises ConnectionRejected if the credentials end or the process stops.
        """
        try:
            async with asyncio.timeout(within):
                await self.changed.wait()
        except TimeoutError:
            return []
        self.changed.clear()
        if self.code is not None:
            raise ConnectionRejected(CloseCode(self.code))
        frames, self.frames = self.frames, []
        self.notify_room()
        events = [(json.loads(frame), frame) for frame in frames]
        events = [(event, frame) for event, frame in events if "kind" in event]
        self.is_over = any(event["status"] in TERMINAL for event, _frame in events)
        return [(event["seq"], frame) for event, frame in events]

    async def until_over(self, *, within: float) -> None:
        """Return when the task is over, or after `within` seconds; raises as `fetch` does."""
        until = monotonic() + within
        while not self.is_over and (left := until - monotonic()) > 0:
            await self.fetch(within=left)


@asynccontextmanager
async def admitted(signed_in: SignedIn, *, was_admitted: bool = False) -> AsyncGenerator[TaskWatch]:
    """A connection that can follow a task; raises ConnectionRejected.

    `was_admitted`: the request counted before, and is not refused for too many connections.
    """
    if hub.leaving:
        raise ConnectionRejected(CloseCode.LEAVING)
    if not was_admitted and not hub.has_room(signed_in.user.pk):
        raise ConnectionRejected(CloseCode.FLOODING)
    watch = TaskWatch(signed_in.user.pk)
    watch.holder = signed_in
    try:
        await hub.register(watch)
        yield watch
    finally:
        if watch.following is not None:
            await cancel_and_wait(watch.following)
        await hub.unregister(watch)


@asynccontextmanager
async def watching(
    task: GenerationTask, signed_in: SignedIn, *, after: int, was_admitted: bool = False
) -> AsyncGenerator[TaskWatch]:
    """Follow `task` from the event after `after`; raises ConnectionRejected."""
    async with admitted(signed_in, was_admitted=was_admitted) as watch:
        watch.follow(task, after=after)
        yield watch
