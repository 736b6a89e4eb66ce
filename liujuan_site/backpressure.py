"""Back-pressure for Daphne: sending waits while the client does not read.

Daphne writes into the transport and never waits, so a stalled client or a long download would
use memory without bound. Twisted calls a *push producer* to pause and resume; here that is a gate
that every `websocket.send` and every part of a body waits for. Other servers wait themselves, and
their connections are not changed.
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

from accounts.log_format import log_line
from generation import process_metrics
from generation.outages import cause_of
from liujuan_site.sub_path import rest

logger = logging.getLogger(__name__)

STALL_TIMEOUT = 60.0
"""Seconds without progress after which an event stream is cut: a stalled client cannot receive a
close message. Sockets are closed by their outbox."""

DOWNLOAD_TIMEOUT = 600.0
"""Seconds that a download may pause: a sleeping phone, an open "save as" dialog."""

CLOSE_TIMEOUT = 2.0
"""Seconds that a response has to end by itself when the server stops."""

SHARED_FRAMES = 8
"""Encoded frames in the cache of `to_wire`."""

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]


@implementer(IPushProducer)
class Gate:
    """Open while the transport accepts data. It has an event only while closed, to save memory."""

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
    """Wrap the WebSocket application; `scope["send_now"]` writes to an open transport at once."""

    async def guarded(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        protocol = daphne_protocol(send)
        transport = getattr(protocol, "transport", None)
        if transport is None:
            await application(scope, receive, send)
            return
        gate = Gate()

        def send_now(*texts: str) -> bool:
            """Write the frames; return False if that would block, and write nothing."""
            if gate.opening is not None or not is_clear(protocol):
                return False
            # several frames are a replay for one client: keep them out of the shared cache
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
    """Whether a frame can be written to the transport without overtaking queued ones."""
    return protocol.state == protocol.STATE_OPEN and not protocol.send_queue


def as_frame(text: str) -> bytes:
    message = PreparedMessage(text.encode(), isBinary=False, applyMask=False, doNotCompress=True)
    return bytes(message.payloadHybi)


@lru_cache(maxsize=SHARED_FRAMES)
def to_wire(text: str) -> bytes:
    """The encoded frame, cached: one event goes to many sockets."""
    return as_frame(text)


class PacedResponse:
    """One response, whose body is sent while the transport accepts data."""

    def __init__(self, request: Any, send: Send, route: str) -> None:
        """`request`: Daphne's protocol or request."""
        self.request = request
        self.send = send
        self.route = route
        self.gate = Gate()
        self.timeout = DOWNLOAD_TIMEOUT
        self.is_partly_sent = False

    async def wait_and_send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.is_partly_sent = True
            self.timeout = STALL_TIMEOUT if is_event_stream(message) else DOWNLOAD_TIMEOUT
        elif message.get("more_body", False):
            await wait_or_disconnect(self.request, self.gate, self.timeout, self.route)
            watch_answer(self.request, self.gate)
        else:
            stop_watching(self.request, self.gate)
            self.is_partly_sent = False
        await self.send(message)


def with_paced_bodies(application: Any, base: str = "") -> Any:
    """Wrap the HTTP application: streamed responses wait for the client.

    `base`: path of the site, which log lines leave out.

    An error within a response cuts the connection, so that the client does not take a part for
    the whole. Daphne would answer 500 a second time, fail at that, and reap no request any more.
    """

    async def guarded(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        request = daphne_protocol(send)
        if request is None:
            await application(scope, receive, send)
            return
        response = PacedResponse(request, send, route_of(scope, base))
        work = application(scope, opening(response.gate, receive), response.wait_and_send)
        running = asyncio.create_task(work)
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            # Daphne cancels all applications as soon as it begins to stop
            await asyncio.wait({running}, timeout=CLOSE_TIMEOUT)
            running.cancel()
            raise
        except Exception as error:
            if not response.is_partly_sent:
                raise
            line = log_line("response_broken", route=response.route, cause=cause_of(error))
            logger.exception("%s", line)
            cut(request)

    return guarded


def opening(gate: Gate, receive: Receive) -> Receive:
    """Wrap `receive`: open the gate on disconnect, so that no sender waits for ever."""

    async def receive_and_open() -> Message:
        message = await receive()
        if message["type"] in ("websocket.disconnect", "http.disconnect"):
            gate.resumeProducing()
        return message

    return receive_and_open


def daphne_protocol(send: Send) -> Any:
    """Daphne's protocol or request behind its `send`; None under another server."""
    return send.args[0] if isinstance(send, partial) and send.args else None


def watch(transport: Any, gate: Gate) -> None:
    # Twisted's HTTP channel is still registered; after the upgrade it produces nothing
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
    """Unregister the gate: Twisted refuses to finish a response with a registered producer."""
    if request.producer is gate and request.channel is not None:
        request.unregisterProducer()


async def wait_or_disconnect(request: Any, gate: Gate, seconds: float, route: str) -> None:
    """Wait until the transport accepts data; after `seconds` cut the connection."""
    try:
        async with asyncio.timeout(seconds):
            await gate.wait()
    except TimeoutError:
        process_metrics.SLOW_READERS_CLOSED.labels("response").inc()
        logger.info("%s", log_line("reader_stalled", route=route))
        cut(request)


def cut(request: Any) -> None:
    # Twisted deletes the attribute when the connection is lost
    channel = getattr(request, "channel", None)
    if channel is not None:
        channel.transport.abortConnection()


def route_of(scope: dict[str, Any], base: str) -> str:
    """The first part of the path below `base`; what follows may be the secret of a share link."""
    return "/" + rest(base, scope["path"]).lstrip("/").partition("/")[0]
