"""What only the measured process itself can count, at one address beside its application."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
from collections.abc import Awaitable, Callable
from typing import Any

PATH = "/_figures"
Figures = dict[str, int]


def with_figures(application: Any, count: Callable[[], Figures]) -> Any:
    """`application`, which also answers PATH with a JSON object of numbers."""

    async def measured(
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await application(scope, receive, send)
            return
        tidy_up()
        # this request is a task too
        figures = {"asyncio tasks": len(asyncio.all_tasks()) - 1, **count()}
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(figures).encode()})

    return measured


def tidy_up() -> None:
    """Give back what nobody holds any more: what is left then is really held."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
