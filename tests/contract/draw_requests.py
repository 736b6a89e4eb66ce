"""Requests of the contract tests, and helpers that wait."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from generation.choices import Route
from generation.xinference import DrawRequest, XinferenceClient
from tests.contract.demo_process import MODEL
from tests.contract.served_models import served_models

CALLS: dict[str, Callable[[XinferenceClient], Awaitable[object]]] = {
    "models": served_models,
    "instances": lambda client: client.image_model(MODEL),
    "draw": lambda client: client.draw(model=MODEL, route=Route.TXT2IMG, request=small()),
    "draw generations": lambda client: client.draw(
        model=MODEL, route=Route.GENERATIONS, request=small()
    ),
    "progress": lambda client: client.progress("1"),
    "abort": lambda client: client.abort(model=MODEL, request_id="1"),
}
"""Every call of a client, by the place at the server that it asks."""


def small(**changes: Any) -> DrawRequest:
    """A picture that takes well under a second, with a new id."""
    return request(**({"width": 256, "height": 256, "steps": 5} | changes))


def long(**changes: Any) -> DrawRequest:
    """A picture that takes some seconds."""
    return request(**({"width": 448, "height": 448, "steps": 24} | changes))


def request(**values: Any) -> DrawRequest:
    usual: dict[str, Any] = {
        "request_id": str(uuid.uuid4()),
        "prompt": "千里江山，一叶扁舟",
        "negative_prompt": "",
        "guidance": 0.0,
        "seed": 7,
    }
    return DrawRequest(**(usual | values))


def drawn(
    client: XinferenceClient, asked: DrawRequest, route: Route = Route.TXT2IMG
) -> asyncio.Task[str]:
    return asyncio.create_task(client.draw(model=MODEL, route=route, request=asked))


async def moving(client: XinferenceClient, request_id: str) -> bool:
    return (await client.progress(request_id) or 0) > 0


async def known(client: XinferenceClient, request_id: str) -> bool:
    return await client.progress(request_id) is not None


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    """Poll until the condition holds, because there is no event to wait for."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.03)
