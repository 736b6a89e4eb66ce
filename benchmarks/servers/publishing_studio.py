"""The studio, which also writes events itself on a request to PUBLISH.

The in-memory layer ends at its process, so the writer must be inside.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async

from benchmarks.servers.bare_broadcast import PUBLISH
from liujuan_site import asgi

# the writer needs Django's apps, which asgi loads
# isort: split
from benchmarks.servers.process_counts import send_json, with_figures
from benchmarks.servers.task_writer import Writer


class LazyWriter:
    """Creates the writer on the first request, because a writer registers as a worker."""

    def __init__(self) -> None:
        self.writer: Writer | None = None

    async def publish(self, task: str, count: int, per_second: float) -> list[tuple[int, int]]:
        if self.writer is None:
            self.writer = await database_sync_to_async(Writer)()
        result = await self.writer.publish(task=task, count=count, per_second=per_second)
        published: list[tuple[int, int]] = result["published"]
        return published


lazy_writer = LazyWriter()


async def serve(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http" or scope["path"] != PUBLISH:
        await asgi.application(scope, receive, send)
        return
    query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
    published = await lazy_writer.publish(
        query["task"], int(query["count"]), float(query["per_second"])
    )
    await send_json(send, published)


application = with_figures(serve, dict)
