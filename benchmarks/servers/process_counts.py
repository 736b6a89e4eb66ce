"""Counts that only the measured process knows, at one URL beside its application."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
from collections.abc import Awaitable, Callable
from typing import Any

PATH = "/_figures"
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Figures = dict[str, int]


def with_figures(application: Any, count: Callable[[], Figures]) -> Any:
    """`application`, with a JSON object of counts at PATH."""

    async def measured(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await application(scope, receive, send)
            return
        tidy_up()
        # this request is a task too
        figures = {"asyncio tasks": len(asyncio.all_tasks()) - 1, **count()}
        await send_json(send, figures)

    return measured


async def send_json(send: Send, content: object) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(content).encode()})


def tidy_up() -> None:
    """Free unused memory, so that only memory in use is measured."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
