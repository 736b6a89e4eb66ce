"""Queue positions and expected waits, sent to all clients of the process from one read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from time import monotonic

from channels.db import database_sync_to_async

from accounts.log_format import log_line
from generation import selectors
from generation.clock import clock
from generation.hub.outbox import Outbox
from generation.outages import cause_of, database
from generation.protocol import QueuePosition, encode
from generation.selectors import Forecast, ModelPace
from generation.shutdown import cancel_and_wait

logger = logging.getLogger(__name__)

POSITIONS_EVERY = 2.0
"""Seconds between updates of the positions of all queued tasks."""

BATCH_DELAY = 0.05
"""Seconds to collect new tasks, so that one query reads the positions of all of them."""

Publish = Callable[[dict[str, QueuePosition]], None]

PACES_EVERY = 30.0
"""Seconds between reads of the pace of each model, a median of twenty tasks."""


class QueueUpdates:
    """Sends each client the positions that have changed since the last read."""

    def __init__(self) -> None:
        self.known: dict[str, QueuePosition] = {}
        """Last positions sent; without those that did not fit into a client's outbox."""
        self.paces: dict[str, ModelPace] = {}
        self.paces_read = float("-inf")
        self.new: set[str] = set()
        """Ids of tasks whose first position was not published yet."""
        self.publishing: asyncio.Task[None] | None = None

    def publish_soon(self, task_ids: Collection[str], publish: Publish) -> None:
        """Publish the first positions of new tasks after BATCH_DELAY.

        If a slot is free, the task has started by then and has no position. `publish` sends
        later changes.
        """
        self.new.update(task_ids)
        if self.publishing is None or self.publishing.done():
            self.publishing = asyncio.create_task(self.publish_new(publish))

    async def publish_new(self, publish: Publish) -> None:
        """Read and publish positions until `new` is empty."""
        while self.new:
            await asyncio.sleep(BATCH_DELAY)
            task_ids, self.new = self.new, set()
            try:
                positions = await database_sync_to_async(selectors.queue_positions)(
                    task_ids, now=clock.now()
                )
            except Exception as error:  # noqa: BLE001  `publish` sends them later
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
        position = self.known.get(task_id)
        if position is not None:
            self.offer(outbox, {task_id: position})

    def offer(self, outbox: Outbox, positions: dict[str, QueuePosition]) -> None:
        """Queue the positions; if the outbox is full, the next update sends them again."""
        if positions and not outbox.offer(queue_frame(positions)):
            for task_id in positions:
                self.known.pop(task_id, None)

    async def publish(self, outboxes: Collection[Outbox], task_ids: Collection[str]) -> None:
        """Read the queue once and send every client what has changed; no read without clients."""
        if not outboxes:
            return
        owners = {each.owner_id for each in outboxes}
        positions, models = await database_sync_to_async(self.read_queue)(owners, task_ids)
        changed = {
            task_id: position
            for task_id, position in positions.items()
            if self.known.get(task_id) != position
        }
        self.known = positions
        for outbox in outboxes:
            if changed:
                attached = filter(outbox.is_attached, outbox.subscriptions)
                self.offer(outbox, {key: changed[key] for key in attached if key in changed})
            outbox.offer_models(models[outbox.owner_id])

    def read_queue(
        self, owners: Collection[int], task_ids: Collection[str]
    ) -> tuple[dict[str, QueuePosition], dict[int, str]]:
        """Positions of the tasks, and {owner_id: `models` frame}, from one read.

        Call it in a thread, because a long queue would block the event loop.
        """
        forecast = selectors.read_forecast(now=clock.now(), owners=owners)
        if monotonic() - self.paces_read >= PACES_EVERY:
            self.paces = selectors.paces_of(forecast.offered)
            self.paces_read = monotonic()
        return forecast.positions(task_ids), models_frames(forecast, self.paces, owners)


def queue_frame(positions: dict[str, QueuePosition]) -> str:
    return encode({"type": "queue", "tasks": positions})


def queue_frames(positions: dict[str, QueuePosition], task_ids: Collection[str]) -> list[str]:
    """One frame with the positions of `task_ids`; empty if none of them has a position."""
    queued = {key: positions[key] for key in task_ids if key in positions}
    return [queue_frame(queued)] if queued else []


def models_frames(
    forecast: Forecast, paces: dict[str, ModelPace], owners: Collection[int]
) -> dict[int, str]:
    """{owner_id: `models` frame}; owners with equal waits share one string."""
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
