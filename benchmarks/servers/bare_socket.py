"""Minimum of a socket: Daphne with an application that accepts sockets and keeps them open."""

from __future__ import annotations

from benchmarks.servers.process_counts import Receive, Scope, Send, with_figures


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": '{"type":"hello"}'})
    while (message := await receive())["type"] != "websocket.disconnect":
        if "attach" in (message.get("text") or ""):
            await send({"type": "websocket.send", "text": '{"type":"live"}'})


application = with_figures(serve, dict)
