"""What readers are told of the line: all of them from one reading of it per process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from time import monotonic

from channels.db import database_sync_to_async

from accounts.log_format import log_line
from generation import selectors
from generation.clock import clock
from generation.hub.outbox import Outbox
from generation.log_lines import cause_of, database
from generation.protocol import QueuePosition, encode
from generation.selectors import Forecast, ModelPace
from generation.teardown import cancel_and_wait

logger = logging.getLogger(__name__)

BATCH_DELAY = 0.05
"""Seconds in which new tasks wait for others; nobody sees the difference."""

Publish = Callable[[dict[str, QueuePosition]], None]

PACES_EVERY = 30.0
"""Seconds; a median of twenty tasks does not change faster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSnapshot:
    """What one reading of the line gave, ready to be told."""

    positions: dict[str, QueuePosition]
    models: dict[int, str]
    """The `models` frame of each person."""

    def frames(self, owner_id: int, task_ids: Collection[str]) -> list[str]:
        return [*queue_frames(self.positions, task_ids), self.models[owner_id]]


class QueueUpdates:
    """Each reader hears only of what changed for him."""

    def __init__(self) -> None:
        self.known: dict[str, QueuePosition] = {}
        """Of tasks that somebody watches; without those that somebody could not be told."""
        self.paces: dict[str, ModelPace] = {}
        self.paces_read = float("-inf")
        self.new: set[str] = set()
        """Tasks whose first place is still to be told."""
        self.publishing: asyncio.Task[None] | None = None

    def publish_soon(self, task_ids: Collection[str], publish: Publish) -> None:
        """The positions of new tasks, of all that come in one moment by one reading.

        Where a slot is free they have begun by then. Later changes come with everybody's.
        """
        self.new.update(task_ids)
        if self.publishing is None or self.publishing.done():
            self.publishing = asyncio.create_task(self.publish_new(publish))

    async def publish_new(self, publish: Publish) -> None:
        """Until nothing is new; `publish` gives the positions to whoever watches their tasks."""
        while self.new:
            await asyncio.sleep(BATCH_DELAY)
            task_ids, self.new = self.new, set()
            try:
                positions = await database_sync_to_async(selectors.queue_positions)(
                    task_ids, now=clock.now()
                )
            except Exception as error:  # noqa: BLE001  everybody's are told in a while
                if not database.is_outage(error):
                    logger.warning("%s", log_line("positions_unknown", cause=cause_of(error)))
                continue
            self.known.update(positions)
            publish(positions)

    async def stop(self) -> None:
        self.new.clear()
        publishing, self.publishing = self.publishing, None
        await cancel_and_wait(publishing)

    def send_known(self, outbox: Outbox, task_id: str) -> None:
        place = self.known.get(task_id)
        if place is not None:
            self.offer(outbox, {task_id: place})

    def offer(self, outbox: Outbox, positions: dict[str, QueuePosition]) -> None:
        """Who has no room is told next time: a place that is not known is news."""
        if positions and not outbox.offer(queue_frame(positions)):
            for task_id in positions:
                self.known.pop(task_id, None)

    async def publish(self, sockets: Collection[Outbox], watched: Collection[str]) -> None:
        """Read the line once, and tell everybody; nothing is read for nobody."""
        if not sockets:
            return
        owners = {each.owner_id for each in sockets}
        snapshot = await database_sync_to_async(self.read_snapshot)(owners, watched)
        changed = {
            key: place for key, place in snapshot.positions.items() if self.known.get(key) != place
        }
        self.known = snapshot.positions
        for outbox in sockets:
            self.offer(outbox, {key: changed[key] for key in outbox.cursors if key in changed})
            frame = snapshot.models.get(outbox.owner_id, "")
            if outbox.hello_sent and frame != outbox.models and outbox.offer(frame):
                outbox.models = frame

    def read_snapshot(self, owners: Collection[int], watched: Collection[str]) -> QueueSnapshot:
        """In a thread: of long lines this takes longer than the loop may stand still."""
        forecast = selectors.read_forecast(now=clock.now(), owners=owners)
        if monotonic() - self.paces_read >= PACES_EVERY:
            self.paces = selectors.paces_of(forecast.offered)
            self.paces_read = monotonic()
        return QueueSnapshot(
            positions=forecast.positions(watched),
            models=models_frames(forecast, self.paces, owners),
        )


def queue_frame(positions: dict[str, QueuePosition]) -> str:
    return encode({"type": "queue", "tasks": positions})


def queue_frames(positions: dict[str, QueuePosition], task_ids: Collection[str]) -> list[str]:
    """One frame with those of `task_ids` that have a place, or none."""
    told = {key: positions[key] for key in task_ids if key in positions}
    return [queue_frame(told)] if told else []


def models_frames(
    forecast: Forecast, paces: dict[str, ModelPace], owners: Collection[int]
) -> dict[int, str]:
    """By person; most people wait equally long, and share one text."""
    frames: dict[int, str] = {}
    by_waits: dict[tuple[tuple[int, float | None], ...], str] = {}
    for owner_id in owners:
        waits = forecast.waits(owner_id)
        key = tuple((wait["position"], wait["eta_seconds"]) for wait in waits)
        if key not in by_waits:
            models = forecast.models(waits, paces)
            by_waits[key] = encode({"type": "models", "models": models})
        frames[owner_id] = by_waits[key]
    return frames
