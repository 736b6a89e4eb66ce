"""Work, a layer and a model server that go on although they are cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import httpx
from channels.layers import InMemoryChannelLayer

from demo_xinference.app import create_app
from tests.socket.sockets import PATIENCE
from tests.worker.demo_worker import SPEED


class Stubborn:
    """Work that goes on whenever it is cancelled, until it is released."""

    def __init__(self) -> None:
        self.released = asyncio.Event()
        self.begun = asyncio.Event()
        self.tasks: set[asyncio.Task[Any]] = set()

    async def work(self, *_: Any, **__: Any) -> None:
        self.begun.set()
        while not self.released.is_set():
            with suppress(asyncio.CancelledError):
                await self.released.wait()

    def task(self, name: str) -> asyncio.Task[Any]:
        """Such a task under way."""
        task = asyncio.create_task(self.work(), name=name)
        self.tasks.add(task)
        return task

    async def outlives(self, ending: Coroutine[Any, Any, Any]) -> None:
        """Check that `ending` returns although this work goes on."""
        # not a time limit around it: that, too, would wait for what ignores it
        task = asyncio.create_task(ending)
        ended, _ = await asyncio.wait({task}, timeout=PATIENCE)
        goes_on = not self.released.is_set()
        self.released.set()
        await task
        assert ended
        assert goes_on


class StubbornLayer(InMemoryChannelLayer):
    """A layer that ignores a cancelled `receive`, and never leaves a group."""

    stubborn: Stubborn

    async def receive(self, channel: str) -> Any:
        try:
            return await super().receive(channel)
        except asyncio.CancelledError:
            await self.stubborn.work()
            raise

    async def group_discard(self, group: str, channel: str) -> None:
        await self.stubborn.work()


class StubbornTransport(httpx.AsyncBaseTransport):
    """Reaches the demo model; a request whose path holds `where` goes on, and so does the close."""

    def __init__(self, stubborn: Stubborn, where: str) -> None:
        self.stubborn = stubborn
        self.where = where
        self.demo = create_app(speed=SPEED)
        self.inner = httpx.ASGITransport(self.demo, raise_app_exceptions=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.where in request.url.path:
            await self.stubborn.work()
        return await self.inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self.stubborn.work()
