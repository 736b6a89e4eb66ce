"""The Channels consumer on the named channel `generation`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from channels.consumer import AsyncConsumer


class GenerationWorker(AsyncConsumer):
    """Hears the doorbell and wakes its host by `wake`; the task row, not the message, is the queue.

    A handler must never wait: Channels runs one at a time, and an exception costs the instance.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        super().__init__()
        self.wake = wake

    async def generation_wake(self, message: dict[str, Any]) -> None:
        self.wake()
