"""A running hub, and clients of its socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client

from generation.hub import hub
from generation.sessions import owner_buckets
from generation.shutdown import cancel_and_wait
from liujuan_site.asgi import application

PATIENCE = 30.0


class Page:
    """One socket; keeps every message it saw."""

    def __init__(self, headers: dict[str, str]) -> None:
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        self.socket = WebsocketCommunicator(application, "/ws/generate", headers=pairs)
        self.messages: list[dict[str, Any]] = []
        self.models: list[list[dict[str, Any]]] = []
        self.early_frames: list[dict[str, Any]] = []
        """Frames that arrived before the `ack` of a submission."""

    async def open(self) -> Page:
        accepted, _protocol = await self.socket.connect(timeout=PATIENCE)
        assert accepted
        return self

    async def close(self) -> None:
        # a test that ran out of patience has ended the socket
        if not self.socket.future.done():
            await self.socket.disconnect(timeout=PATIENCE)

    async def send(self, **message: Any) -> None:
        await self.socket.send_to(text_data=json.dumps(message))

    async def receive(self, seconds: float = PATIENCE) -> dict[str, Any]:
        """The next message; `models` may come between any two, and is kept aside."""
        self.early_frames.clear()
        while True:
            message = await self.receive_any(seconds)
            if message["type"] != "models":
                self.messages.append(message)
                return message

    async def receive_any(self, seconds: float = PATIENCE) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await self.socket.receive_from(timeout=seconds))
        if message["type"] == "models":
            self.models.append(message["models"])
        return message

    async def models_until(self, condition: Callable[[Any], bool]) -> dict[str, Any]:
        """The first row of the default model whose `wait` satisfies `condition`."""
        while True:
            for models in self.models:
                if condition(models[0]["wait"]):
                    row: dict[str, Any] = models[0]
                    return row
            await self.receive_any()

    async def until(self, kind: str) -> dict[str, Any]:
        """The next message whose `type` or `kind` is `kind`."""
        while True:
            message = self.early_frames.pop(0) if self.early_frames else await self.receive()
            if kind in (message["type"], message.get("kind")):
                return message

    async def close_code(self) -> int:
        output = await self.socket.receive_output(timeout=PATIENCE)
        while output["type"] != "websocket.close":
            output = await self.socket.receive_output(timeout=PATIENCE)
        code: int = output["code"]
        return code

    async def ask(self, **message: Any) -> dict[str, Any]:
        """Send, and return the first frame that responds to a message."""
        await self.send(**message)
        while True:
            answer = await self.receive()
            refused = answer["type"] == "error" and "seq" not in answer
            if refused or answer["type"] in ("ack", "answer", "live", "pong"):
                return answer

    async def generate(self, prompt: str = "LiuJuan", **fields: Any) -> str:
        before = len(self.messages)
        await self.send(action="generate", prompt=prompt, **fields)
        task_id: str = (await self.until("ack"))["task_id"]
        self.early_frames += self.messages[before:-1]
        return task_id

    def seqs(self, task_id: str) -> list[int]:
        return [m["seq"] for m in self.messages if m.get("task_id") == task_id and "kind" in m]


@pytest.fixture
async def running_hub(transactional_db: None) -> AsyncIterator[None]:
    # the in-memory layer keeps queues that belong to the loop of an earlier test
    channel_layers.backends.clear()
    owner_buckets.by_owner.clear()
    await hub.start()
    yield
    await hub.stop()
    # a test may have closed all sockets; the next one may use the hub without starting it
    hub.leaving = False
    channel_layers.backends.clear()
    # the ORM's own async calls keep their connection; the test database could not be dropped
    await sync_to_async(connections.close_all)()


@pytest.fixture
async def quiet_hub(running_hub: None) -> None:
    """A hub that asks for nothing by itself: how often it would depends on the machine."""
    by_itself = {"hub compare", "hub publish_positions", "hub check_all", "hub write_report"}
    await cancel_and_wait(*(loop for loop in hub.loops if loop.get_name() in by_itself))


@sync_to_async
def cookie_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


OpenPage = Callable[..., Awaitable[Page]]
Visitor = Callable[..., Awaitable[Page]]


@pytest.fixture
async def open_page(running_hub: None, alice: User) -> AsyncIterator[OpenPage]:
    """`await open_page()`: a page of alice, or of another user, that has had its `hello`."""
    pages: list[Page] = []

    async def open_one(user: User = alice, **headers: str) -> Page:
        page = Page(
            {
                "host": "testserver",
                "origin": "http://testserver",
                "cookie": await cookie_of(user),
                **headers,
            }
        )
        pages.append(await page.open())
        assert (await page.receive())["type"] == "hello"
        return page

    yield open_one
    await asyncio.gather(*(page.close() for page in pages))


@pytest.fixture
async def page(open_page: OpenPage) -> Page:
    """A signed-in page of alice."""
    return await open_page()


@pytest.fixture
async def visitor(running_hub: None) -> Visitor:
    """`await visitor(header=value…)`: an accepted socket with these headers."""

    async def open_one(**headers: str) -> Page:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await Page({"host": "testserver", **named}).open()

    return open_one
