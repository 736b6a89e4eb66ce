"""The floor of a broadcast: Daphne, and an application that tells all its sockets the same.

No layer, no log and no sign-in: whoever asks at PUBLISH has so many frames sent from this process.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from benchmarks.servers.process_counts import with_figures

PUBLISH = "/_publish"
PADDING = "x" * 350
"""An event of the studio has about 470 bytes."""

Send = Callable[[dict[str, Any]], Awaitable[None]]
sockets: set[Send] = set()


def event(seq: int) -> str:
    return (
        f'{{"type":"progress","task_id":"a task","seq":{seq},"kind":"progressed","p":"{PADDING}"}}'
    )


async def keep(receive: Callable[[], Awaitable[dict[str, Any]]], send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": '{"type":"hello"}'})
    sockets.add(send)
    while (message := await receive())["type"] != "websocket.disconnect":
        if "attach" in (message.get("text") or ""):
            await send({"type": "websocket.send", "text": '{"type":"live"}'})
    sockets.discard(send)


async def publish(first: int, count: int, per_second: float) -> list[tuple[int, int]]:
    """`count` events from `first` on, as fast as they go out if `per_second` is 0; when each was.

    After each event the loop has a turn: it writes to the network then.
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


async def serve(scope: dict[str, Any], receive: Any, send: Send) -> None:
    if scope["type"] == "websocket":
        await keep(receive, send)
        return
    asked = parse_qs(scope["query_string"].decode())
    count, first = (int(asked[name][0]) for name in ("count", "first"))
    published = await publish(first, count, float(asked["per_second"][0]))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(published).encode()})


application = with_figures(serve, dict)
