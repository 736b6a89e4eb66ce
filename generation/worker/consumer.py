"""The Channels consumer on the named channel `generation`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channels.consumer import AsyncConsumer

if TYPE_CHECKING:
    from generation.worker.host import WorkerHost


class GenerationWorker(AsyncConsumer):
    """Hears the doorbell and wakes its host; the task row, not the message, is the queue.

    A handler must never wait: Channels runs one at a time, and an exception costs the instance.
    """

    host: WorkerHost

    def __init__(self, host: WorkerHost) -> None:
        super().__init__()
        self.host = host

    async def generation_wake(self, message: dict[str, Any]) -> None:
        self.host.wake()
