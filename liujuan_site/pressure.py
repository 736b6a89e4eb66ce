"""Back-pressure for Daphne: a sender waits while its reader does not read.

Daphne writes into the transport and never waits, so that a socket whose reader stands still
costs memory without end. Twisted tells a *push producer* when to pause; here that is an event
that every `websocket.send` waits for. Other servers wait by themselves and are left alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]


@implementer(IPushProducer)
class Gate:
    """Open while the transport takes data; has an event only while it does not."""

    def __init__(self) -> None:
        self.opening: asyncio.Event | None = None

    def pauseProducing(self) -> None:
        self.opening = self.opening or asyncio.Event()

    def resumeProducing(self) -> None:
        if self.opening is not None:
            self.opening.set()
            self.opening = None

    def stopProducing(self) -> None:
        self.resumeProducing()

    async def wait(self) -> None:
        while self.opening is not None:
            await self.opening.wait()


def with_backpressure(application: Any) -> Any:
    async def guarded(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        transport = daphne_transport(send)
        if transport is None:
            await application(scope, receive, send)
            return
        gate = Gate()

        async def wait_and_send(message: Message) -> None:
            if message["type"] == "websocket.send":
                await gate.wait()
            await send(message)
            if message["type"] == "websocket.accept":
                watch(transport, gate)

        async def receive_and_open() -> Message:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                gate.resumeProducing()
            return message

        await application(scope, receive_and_open, wait_and_send)

    return guarded


def daphne_transport(send: Send) -> Any:
    """The Twisted transport behind Daphne's `send`, None under another server."""
    if isinstance(send, partial) and send.args:
        return getattr(send.args[0], "transport", None)
    return None


def watch(transport: Any, gate: Gate) -> None:
    # Twisted's HTTP channel is registered until the upgrade; it has nothing to produce any more
    transport.unregisterProducer()
    transport.registerProducer(gate, True)
