"""What sockets are told of the line: all of them from one reading of it per process."""

from __future__ import annotations

from collections.abc import Collection
from time import monotonic

from channels.db import database_sync_to_async

from generation import selectors
from generation.hub.outbox import Outbox
from generation.protocol import QueuePlace, encode
from generation.selectors import Outlook, clock

PACES_EVERY = 30.0
"""Seconds; a median of twenty tasks does not change faster."""


class Places:
    """Each socket hears only of what changed for it."""

    def __init__(self) -> None:
        self.known: dict[str, QueuePlace] = {}
        """Of tasks that somebody watches."""
        self.paces: dict[str, float | None] = {}
        self.paces_read = float("-inf")

    async def tell_one(self, outbox: Outbox, task_id: str) -> None:
        """The place of one new task at once; later changes come with everybody's."""
        places = await database_sync_to_async(selectors.queue_places)([task_id], now=clock.now())
        if places:
            self.known.update(places)
            outbox.offer(queue_frame(places))

    async def tell(self, sockets: Collection[Outbox], watched: Collection[str]) -> None:
        """Read the line once, and tell everybody; nothing is read for nobody."""
        if not sockets:
            return
        outlook = await database_sync_to_async(self.read)({each.owner_id for each in sockets})
        places = outlook.places(watched)
        changed = {key: place for key, place in places.items() if self.known.get(key) != place}
        self.known = places
        frames = ModelsFrames(outlook, self.paces)
        for outbox in sockets:
            mine = {key: place for key, place in changed.items() if key in outbox.cursors}
            if mine:
                outbox.offer(queue_frame(mine))
            frame = frames.of(outbox.owner_id)
            if outbox.greeted and frame != outbox.models and outbox.offer(frame):
                outbox.models = frame

    def read(self, owners: Collection[int]) -> Outlook:
        outlook = selectors.read_outlook(now=clock.now(), owners=owners)
        if monotonic() - self.paces_read >= PACES_EVERY:
            self.paces = selectors.paces_of(outlook.offered)
            self.paces_read = monotonic()
        return outlook


def queue_frame(places: dict[str, QueuePlace]) -> str:
    return encode({"type": "queue", "tasks": places})


class ModelsFrames:
    """The `models` frame of each person; most people wait equally long, and share one text."""

    def __init__(self, outlook: Outlook, paces: dict[str, float | None]) -> None:
        self.outlook = outlook
        self.paces = paces
        self.by_owner: dict[int, str] = {}
        self.by_waits: dict[tuple[tuple[int, float | None], ...], str] = {}

    def of(self, owner_id: int) -> str:
        frame = self.by_owner.get(owner_id)
        if frame is None:
            waits = self.outlook.waits(owner_id)
            key = tuple((wait["position"], wait["eta_seconds"]) for wait in waits)
            frame = self.by_waits.get(key)
            if frame is None:
                models = self.outlook.models(waits, self.paces)
                frame = self.by_waits[key] = encode({"type": "models", "models": models})
            self.by_owner[owner_id] = frame
        return frame
