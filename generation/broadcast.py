"""The doorbell: the only module that names a group or a channel. Every ring may be lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings

from generation.log_lines import layer as outage
from generation.teardown import cancel_and_wait

WORKERS: str = settings.WORKER_CHANNEL
"""The named channel that wakes the workers of this installation."""

WAITING_RINGS = 1_000
"""Beyond that the newest are dropped: the log has them."""

PATIENCE = 1.0
"""Seconds for one ring. A layer that hangs must hold up nobody who writes facts."""

PAUSE = 1.0
"""Seconds of silence after a ring that failed."""

Ring = Callable[[], Awaitable[None]]


def layer() -> Any:
    """The channel layer; the settings always name one."""
    return get_channel_layer()


def group_of(owner_id: int) -> str:
    return f"owner.{owner_id}"


class Doorbell:
    """Rings in the background of a process with an event loop, in order.

    Services run in the one thread that has the database; they only leave their rings here.
    """

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.rings: asyncio.Queue[Ring] | None = None
        self.ringer: asyncio.Task[None] | None = None

    def start(self) -> bool:
        """Ring from this loop on; False if somebody started it already."""
        if self.ringer is not None and not self.ringer.done():
            return False
        self.loop = asyncio.get_running_loop()
        self.rings = asyncio.Queue(WAITING_RINGS)
        self.ringer = asyncio.create_task(self.run(self.rings), name="doorbell")
        return True

    async def stop(self) -> None:
        await cancel_and_wait(self.ringer)
        self.loop = self.rings = self.ringer = None

    async def run(self, rings: asyncio.Queue[Ring]) -> None:
        while True:
            ring = await rings.get()
            try:
                async with asyncio.timeout(PATIENCE):
                    await ring()
                outage.worked()
            except Exception as error:  # noqa: BLE001  whatever the layer's driver raises
                outage.failed(error)
                await asyncio.sleep(PAUSE)

    def leave(self, ring: Ring) -> None:
        """From any thread; without a running loop (a command) it is rung at once."""
        if self.loop is None:
            self.ring_now(ring)
        else:
            self.loop.call_soon_threadsafe(self.enqueue, ring)

    def enqueue(self, ring: Ring) -> None:
        try:
            if self.rings is not None:
                self.rings.put_nowait(ring)
        except asyncio.QueueFull:
            outage.failed("too many messages wait")

    def ring_now(self, ring: Ring) -> None:
        async def patiently() -> None:
            async with asyncio.timeout(PATIENCE):
                await ring()

        try:
            async_to_sync(patiently)()
        except Exception as error:  # noqa: BLE001  the log has the truth
            outage.failed(error)


doorbell = Doorbell()
"""This process's."""


def ring_event(*, owner_id: int, task_id: str, seq: int, frame: str) -> None:
    """Tell everyone who watches `task_id`; carries the finished frame."""
    message = {"type": "task.event", "task_id": task_id, "seq": seq, "frame": frame}
    doorbell.leave(lambda: layer().group_send(group_of(owner_id), message))


def ring_new_task(*, owner_id: int, task_id: str, frame: str) -> None:
    """Tell the owner's open pages of a new task; carries the finished `task` frame."""
    message = {"type": "task.created", "owner_id": owner_id, "task_id": task_id, "frame": frame}
    doorbell.leave(lambda: layer().group_send(group_of(owner_id), message))


def ring_collection(*, owner_id: int, revision: int, frame: str) -> None:
    """Tell the owner's open pages what was marked, deleted or restored."""
    message = {
        "type": "collection.changed",
        "owner_id": owner_id,
        "revision": revision,
        "frame": frame,
    }
    doorbell.leave(lambda: layer().group_send(group_of(owner_id), message))


def wake_workers() -> None:
    doorbell.leave(lambda: layer().send(WORKERS, {"type": "generation.wake"}))


def marker(text: str) -> dict[str, Any]:
    """The message by which a hub proves to itself that it is heard."""
    return {"type": "hub.marker", "marker": text}
