"""One message of the Model Context Protocol and its response, within a view."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, MutableMapping
from typing import Any, cast

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from generation.api.mcp_server import REQUEST, server
from generation.shutdown import cancel_and_wait

READ_WITHIN = 60.0
"""Seconds in which each part of a response must be read, so that no client holds a task."""

SKIPPED = frozenset({"connection", "content-length"})
"""Headers that the web server sets."""

Message = MutableMapping[str, Any]
Parts = MemoryObjectReceiveStream[Message]


async def respond(request: HttpRequest) -> HttpResponseBase:
    """The response of the protocol to `request`: JSON, or a stream of server-sent events."""
    sender, parts = anyio.create_memory_object_stream[Message](0)
    handling = asyncio.create_task(handle(request, sender))
    try:
        start = await parts.receive()
        if is_stream(start):
            response: HttpResponseBase = StreamingHttpResponse(streamed(parts, handling))
        else:
            response = HttpResponse(b"".join([part async for part in bodies(parts)]))
            await handling
            parts.close()
    except BaseException:
        parts.close()
        await cancel_and_wait(handling)
        raise
    return with_start(response, start)


async def handle(request: HttpRequest, sender: Any) -> None:
    """Run the protocol for one request: nothing of it outlives its response."""
    manager = StreamableHTTPSessionManager(app=server, stateless=True)
    body = request.body
    incoming = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if incoming:
            return incoming.pop()
        # a client that disconnects cancels this task
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        async with asyncio.timeout(READ_WITHIN):
            await sender.send(message)

    scope = {**cast("ASGIRequest", request).scope, REQUEST: request}
    with sender:
        async with manager.run():
            await manager.handle_request(scope, receive, send)


def is_stream(start: Message) -> bool:
    kinds = [value for name, value in start["headers"] if name.lower() == b"content-type"]
    return any(kind.startswith(b"text/event-stream") for kind in kinds)


async def bodies(parts: Parts) -> AsyncGenerator[bytes]:
    async for message in parts:
        if message.get("body"):
            yield message["body"]


async def streamed(parts: Parts, handling: asyncio.Task[None]) -> AsyncGenerator[bytes]:
    try:
        async for part in bodies(parts):
            yield part
        await handling
    finally:
        parts.close()
        await cancel_and_wait(handling)


def with_start(response: HttpResponseBase, start: Message) -> HttpResponseBase:
    response.status_code = start["status"]
    del response["Content-Type"]
    for name, value in start["headers"]:
        if name.decode().lower() not in SKIPPED:
            response[name.decode()] = value.decode("latin-1")
    response["Cache-Control"] = "no-store, no-transform"
    response["X-Accel-Buffering"] = "no"
    return response
