"""Minimum of a broadcast: Daphne with an application that sends the same frame to all sockets.

No layer, log or authentication: a request to PUBLISH sends frames from this process.
"""

from __future__ import annotations

import asyncio
import time
from urllib.parse import parse_qs

from benchmarks.servers.process_counts import Receive, Scope, Send, send_json, with_figures

PUBLISH = "/_publish"
PADDING = "x" * 350
"""Makes an event of about 470 bytes, like the studio's."""

sockets: set[Send] = set()


def event(seq: int) -> str:
    return (
        f'{{"type":"progress","task_id":"a task","seq":{seq},"kind":"progressed","p":"{PADDING}"}}'
    )


async def serve_socket(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": '{"type":"hello"}'})
    sockets.add(send)
    while (message := await receive())["type"] != "websocket.disconnect":
        if "attach" in (message.get("text") or ""):
            await send({"type": "websocket.send", "text": '{"type":"live"}'})
    sockets.discard(send)


async def publish(first: int, count: int, per_second: float) -> list[tuple[int, int]]:
    """Send `count` events from `first` on; (seq, nanosecond) of each. `per_second` 0: no pauses.

    Yields to the loop after each event, so that it writes to the network.
    """
    published, due = [], time.monotonic()
    for seq in range(first, first + count):
        published.append((seq, time.monotonic_ns()))
        message = {"type": "websocket.send", "text": event(seq)}
        for send in tuple(sockets):
            await send(message)
        due += 1 / per_second if per_second else 0.0
        await asyncio.sleep(max(0.0, due - time.monotonic()) if per_second else 0)
    return published


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await serve_socket(receive, send)
        return
    query = parse_qs(scope["query_string"].decode())
    count, first = (int(query[name][0]) for name in ("count", "first"))
    published = await publish(first, count, float(query["per_second"][0]))
    await send_json(send, published)


application = with_figures(serve, dict)
