"""The Channels consumer on the named channel `generation`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from channels.consumer import AsyncConsumer
from channels.worker import Worker as ChannelListener

from generation import broadcast
from generation.teardown import cancel_and_wait


class GenerationWorker(AsyncConsumer):
    """Hears the doorbell and wakes its host by `wake`; the task row, not the message, is the queue.

    A handler must never wait: Channels runs one at a time, and an exception costs the instance.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        super().__init__()
        self.wake = wake

    async def generation_wake(self, message: dict[str, Any]) -> None:
        self.wake()


class Listener(ChannelListener):
    """Hosts the consumer, and ends all that it has begun.

    That of Channels leaves the task that receives, or the one that checks, and the consumers.
    """

    async def arun(self) -> None:
        checking = asyncio.create_task(self.application_checker())  # type: ignore[no-untyped-call]
        try:
            await self.listener(broadcast.WORKERS)
        finally:
            consumers = [each["future"] for each in self.application_instances.values()]
            await cancel_and_wait(checking, *consumers)
