"""Publishing: the only module that names a group or a channel. Every message may be lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings

from generation import process_metrics
from generation.outages import layer as outage
from generation.shutdown import cancel_and_wait

WORKERS: str = settings.WORKER_CHANNEL
"""The named channel that wakes the workers of this installation."""

MAX_QUEUED = 1_000
"""Messages in the queue; beyond it new ones are dropped, because the log has them."""

SEND_TIMEOUT = 1.0
"""Seconds for one message. A layer that hangs must not block writers."""

RETRY_DELAY = 1.0
"""Seconds without sending after a message that failed."""

Send = Callable[[], Awaitable[None]]


def layer() -> Any:
    """The channel layer; the settings always name one."""
    return get_channel_layer()


REVIEWERS = 0
"""In the place of an owner: no account has this id."""


def group_of(owner_id: int) -> str:
    return f"owner.{owner_id}"


class Publisher:
    """Sends messages in order, in the background of a process with an event loop.

    Services run in the thread of the database and only queue their messages here.
    """

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.queue: asyncio.Queue[Send] | None = None
        self.sender: asyncio.Task[None] | None = None

    def start(self) -> bool:
        """Begin to send on this event loop; False if it was started already."""
        if self.sender is not None and not self.sender.done():
            return False
        self.loop = asyncio.get_running_loop()
        self.queue = asyncio.Queue(MAX_QUEUED)
        self.sender = asyncio.create_task(self.run(self.queue), name="publisher")
        return True

    async def stop(self) -> None:
        await cancel_and_wait(self.sender)
        self.loop = self.queue = self.sender = None

    async def run(self, queue: asyncio.Queue[Send]) -> None:
        while True:
            message = await queue.get()
            try:
                async with asyncio.timeout(SEND_TIMEOUT):
                    await message()
                outage.worked()
            except Exception as error:  # noqa: BLE001  whatever the layer's driver raises
                outage.failed(error)
                await asyncio.sleep(RETRY_DELAY)

    def send(self, message: Send) -> None:
        """Queue a message, from any thread; without an event loop (a command) send it at once."""
        if self.loop is None:
            self.send_now(message)
        else:
            self.loop.call_soon_threadsafe(self.enqueue, message)

    def enqueue(self, message: Send) -> None:
        try:
            if self.queue is not None:
                self.queue.put_nowait(message)
        except asyncio.QueueFull:
            process_metrics.BROADCASTS_DROPPED.inc()
            outage.failed("too many messages wait")

    def send_now(self, message: Send) -> None:
        async def send_in_time() -> None:
            async with asyncio.timeout(SEND_TIMEOUT):
                await message()

        try:
            async_to_sync(send_in_time)()
        except Exception as error:  # noqa: BLE001  the log has the truth
            outage.failed(error)


publisher = Publisher()
"""This process's."""


def publish_event(
    *,
    owner_id: int,
    task_id: str,
    seq: int,
    frame: str,
    is_over: bool = False,
    committed_at: float | None = None,
) -> None:
    """Publish an event to all that follow `task_id`; `frame` is sent unchanged.

    `is_over`: it ended the task, so that what is left of the owner's limits changed.
    `committed_at`: Unix seconds of the database's clock, by which hubs measure the delay.
    """
    message = {"type": "task.event", "task_id": task_id, "seq": seq, "frame": frame}
    if committed_at is not None:
        message["committed_at"] = committed_at
    if is_over:
        message["ended_of"] = owner_id
    publisher.send(lambda: layer().group_send(group_of(owner_id), message))


def publish_new_task(*, owner_id: int, task_id: str, frame: str) -> None:
    """Publish a new task to the owner's open pages; `frame` is its `task` frame."""
    message = {"type": "task.created", "owner_id": owner_id, "task_id": task_id, "frame": frame}
    publisher.send(lambda: layer().group_send(group_of(owner_id), message))


def publish_collection(*, owner_id: int, revision: int, frame: str) -> None:
    """Publish a new revision of the collection to the owner's open pages."""
    message = {
        "type": "collection.changed",
        "owner_id": owner_id,
        "revision": revision,
        "frame": frame,
    }
    publisher.send(lambda: layer().group_send(group_of(owner_id), message))


def publish_credentials(*, owner_id: int) -> None:
    """Publish that credentials or permissions of the user changed."""
    message = {"type": "credentials.changed", "owner_id": owner_id}
    publisher.send(lambda: layer().group_send(group_of(owner_id), message))


def publish_review() -> None:
    """Publish that staff decided about a picture, to the processes with an open review page."""
    message = {"type": "review.decided"}
    publisher.send(lambda: layer().group_send(group_of(REVIEWERS), message))


def wake_workers() -> None:
    publisher.send(lambda: layer().send(WORKERS, {"type": "generation.wake"}))


def marker(text: str) -> dict[str, Any]:
    """The message with which a hub proves its own subscription."""
    return {"type": "hub.marker", "marker": text}
