"""Back-pressure for Daphne: a sender waits while its reader does not read.

Daphne writes into the transport and never waits, so that a socket whose reader stands still
costs memory without end, and so does a long download. Twisted tells a *push producer* when to
pause; here that is an event that every `websocket.send` and every part of a body waits for.
Other servers wait by themselves and are left alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import lru_cache, partial
from typing import Any

from autobahn.websocket.protocol import PreparedMessage
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from accounts.log_escaping import log_line

logger = logging.getLogger(__name__)

STALL_TIMEOUT = 60.0
"""Seconds after which the reader of an event stream that takes nothing counts as gone. A socket is
closed by its outbox, but here no end can be told to who does not read."""

DOWNLOADS_PAUSE = 600.0
"""Seconds that a download may stand still: a phone that sleeps, a question where to save it."""

CLOSE_TIMEOUT = 2.0
"""Seconds that an answer has to end by itself when the server stops."""

SHARED = 8
"""Frames that are kept as the bytes they became."""

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
    """For sockets; `scope["send_now"]` is a shorter way to the transport while it takes data."""

    async def guarded(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        protocol = daphne_protocol(send)
        transport = getattr(protocol, "transport", None)
        if transport is None:
            await application(scope, receive, send)
            return
        gate = Gate()

        def send_now(*texts: str) -> bool:
            """Whether they were taken; if not, their reader has to be waited for."""
            if gate.opening is not None or not is_clear(protocol):
                return False
            # what goes to one reader alone must not take the place of what is shared
            frames = map(as_frame, texts) if len(texts) > 1 else map(to_wire, texts)
            transport.write(b"".join(frames))
            return True

        async def wait_and_send(message: Message) -> None:
            if message["type"] == "websocket.send":
                await gate.wait()
            await send(message)
            if message["type"] == "websocket.accept":
                watch(transport, gate)

        scope["send_now"] = send_now
        await application(scope, opening(gate, receive), wait_and_send)

    return guarded


def is_clear(protocol: Any) -> bool:
    """Whether a frame may be written as it is, behind everything that was sent before."""
    return protocol.state == protocol.STATE_OPEN and not protocol.send_queue


def as_frame(text: str) -> bytes:
    message = PreparedMessage(text.encode(), isBinary=False, applyMask=False, doNotCompress=True)
    return bytes(message.payloadHybi)


@lru_cache(maxsize=SHARED)
def to_wire(text: str) -> bytes:
    """One event goes to many sockets: it becomes a frame once."""
    return as_frame(text)


def with_paced_bodies(application: Any) -> Any:
    """For answers over HTTP that come in more than one part."""

    async def guarded(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        request = daphne_protocol(send)
        if request is None:
            await application(scope, receive, send)
            return
        gate = Gate()
        patience = DOWNLOADS_PAUSE

        async def wait_and_send(message: Message) -> None:
            nonlocal patience
            if message["type"] == "http.response.start":
                patience = STALL_TIMEOUT if is_event_stream(message) else DOWNLOADS_PAUSE
            elif message.get("more_body", False):
                await wait_or_disconnect(request, gate, patience)
                watch_answer(request, gate)
            else:
                stop_watching(request, gate)
            await send(message)

        running = asyncio.create_task(application(scope, opening(gate, receive), wait_and_send))
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            # Daphne ends everything in the turn in which it begins to stop
            await asyncio.wait({running}, timeout=CLOSE_TIMEOUT)
            running.cancel()
            raise

    return guarded


def opening(gate: Gate, receive: Receive) -> Receive:
    """Who waits for a reader that has gone must hear of it."""

    async def receive_and_open() -> Message:
        message = await receive()
        if message["type"] in ("websocket.disconnect", "http.disconnect"):
            gate.resumeProducing()
        return message

    return receive_and_open


def daphne_protocol(send: Send) -> Any:
    """Daphne's protocol or request behind its `send`, None under another server."""
    return send.args[0] if isinstance(send, partial) and send.args else None


def watch(transport: Any, gate: Gate) -> None:
    # Twisted's HTTP channel is registered until the upgrade; it has nothing to produce any more
    transport.unregisterProducer()
    transport.registerProducer(gate, True)


def is_event_stream(start: Message) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/event-stream")
        for name, value in start.get("headers", ())
    )


def watch_answer(request: Any, gate: Gate) -> None:
    if request.producer is None and request.channel is not None:
        request.registerProducer(gate, True)


def stop_watching(request: Any, gate: Gate) -> None:
    """An answer must not end while something still produces it."""
    if request.producer is gate and request.channel is not None:
        request.unregisterProducer()


async def wait_or_disconnect(request: Any, gate: Gate, patience: float) -> None:
    """Until the reader takes something; cutting him off ends the request, as if he had gone."""
    try:
        async with asyncio.timeout(patience):
            await gate.wait()
    except TimeoutError:
        logger.info("%s", log_line("reader_stalled", path=request.path.decode("latin-1")))
        if request.channel is not None:
            request.channel.transport.abortConnection()
