"""The Channels consumer on the named channel `generation`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from channels.consumer import AsyncConsumer, get_handler_name

from generation import broadcast


class GenerationWorker(AsyncConsumer):
    """Calls `wake` for each message; the tasks are in the database, not in the messages.

    It reads its named channel directly and needs no channel of its own.
    """

    channel_layer_alias = None  # type: ignore[assignment]

    def __init__(self, wake: Callable[[], None]) -> None:
        super().__init__()
        self.wake = wake

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Call the handler without closing old database connections first.

        Channels closes them in the database thread; a wake-up must not wait for it.
        """
        await getattr(self, get_handler_name(message))(message)

    async def generation_wake(self, message: dict[str, Any]) -> None:
        self.wake()


async def receive_messages(wake: Callable[[], None]) -> None:
    """Run the consumer on the named channel until the layer fails."""
    consumer: Any = GenerationWorker.as_asgi(wake=wake)
    receive = partial(broadcast.layer().receive, broadcast.WORKERS)
    await consumer({"type": "channel", "channel": broadcast.WORKERS}, receive, send_nowhere)


async def send_nowhere(message: dict[str, Any]) -> None:
    """A channel has no other end that could receive an answer."""
