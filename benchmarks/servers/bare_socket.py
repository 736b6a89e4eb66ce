"""The floor: Daphne with an application that accepts sockets and keeps them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.servers.process_counts import with_figures


async def keep(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": '{"type":"hello"}'})
    while (message := await receive())["type"] != "websocket.disconnect":
        if "attach" in (message.get("text") or ""):
            await send({"type": "websocket.send", "text": '{"type":"live"}'})


application = with_figures(keep, dict)
