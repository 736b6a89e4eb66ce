"""Minimum of a reload: Daphne, one SELECT, and its rows unchanged."""

from __future__ import annotations

import asyncio
import json
import os

import psycopg

from benchmarks.servers.process_counts import Receive, Scope, Send, with_figures

QUERY = "SELECT frame FROM generation_taskevent WHERE task_id = %s AND seq > %s ORDER BY seq"


class Log:
    """One connection that all sockets share."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.connection: psycopg.AsyncConnection[tuple[str]] | None = None

    async def after(self, task_id: str, seq: int) -> list[tuple[str]]:
        async with self.lock:
            if self.connection is None:
                url = os.environ["DATABASE_URL"]
                self.connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
            cursor = await self.connection.execute(QUERY, [task_id, seq])
            return await cursor.fetchall()


log = Log()


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": '{"type":"hello"}'})
    while (message := await receive())["type"] != "websocket.disconnect":
        request = json.loads(message["text"])
        for (frame,) in await log.after(request["task_id"], request["after"]):
            await send({"type": "websocket.send", "text": frame})
        await send({"type": "websocket.send", "text": '{"type":"live"}'})


application = with_figures(serve, dict)
