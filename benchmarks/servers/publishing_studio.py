"""The studio, which also writes events itself when it is asked to at PUBLISH.

The in-memory layer reaches nobody outside its process, so that the writer has to be inside.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async

from benchmarks.servers.bare_broadcast import PUBLISH
from liujuan_site import asgi

# the writer needs Django's apps, which asgi loads
# isort: split
from benchmarks.servers.process_counts import with_figures
from benchmarks.servers.task_writer import Writer


class Inside:
    """A writer once somebody asks: it registers as a worker does."""

    def __init__(self) -> None:
        self.writer: Writer | None = None

    async def publish(self, task: str, count: int, per_second: float) -> list[tuple[int, int]]:
        if self.writer is None:
            self.writer = await database_sync_to_async(Writer)()
        told = await self.writer.publish(task=task, count=count, per_second=per_second)
        published: list[tuple[int, int]] = told["published"]
        return published


inside = Inside()


async def serve(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http" or scope["path"] != PUBLISH:
        await asgi.application(scope, receive, send)
        return
    asked = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
    published = await inside.publish(asked["task"], int(asked["count"]), float(asked["per_second"]))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(published).encode()})


application = with_figures(serve, dict)
