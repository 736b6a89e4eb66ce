"""Clients without WebSockets: event streams and plain requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import quote

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.contrib.auth.models import User
from django.test import AsyncClient

from generation.sessions import request_buckets
from liujuan_site.asgi import application
from tests.socket.sockets import PATIENCE, cookie_of


class StreamClient:
    """One event stream, as a server calls the application; keeps every frame it saw."""

    def __init__(
        self, cookie: str, cursors: dict[str, int] | None, last_id: str | None, since: float | None
    ) -> None:
        query = f"cursors={quote(json.dumps(cursors))}" if cursors is not None else ""
        query += f"&since={since}" if since is not None else ""
        headers = [(b"host", b"testserver"), (b"cookie", cookie.encode())]
        if last_id is not None:
            headers.append((b"last-event-id", last_id.encode()))
        scope: dict[str, Any] = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "path": "/events/",
            "raw_path": b"/events/",
            "query_string": query.encode(),
            "headers": headers,
        }
        self.communicator = ApplicationCommunicator(application, scope)
        self.buffer = ""
        self.messages: list[dict[str, Any]] = []
        self.last_id: str | None = None

    async def open(self) -> StreamClient:
        await self.communicator.send_input({"type": "http.request"})
        self.start = await self.communicator.receive_output(PATIENCE)
        return self

    async def close(self) -> None:
        await self.communicator.send_input({"type": "http.disconnect"})
        await self.communicator.wait(PATIENCE)

    async def event(self) -> tuple[str, Any]:
        """(name, data) of the next event; the id is kept, as an EventSource does."""
        while True:
            block = await self.block()
            fields = dict(
                line.split(": ", 1) for line in block.splitlines() if not line.startswith(":")
            )
            self.last_id = fields.get("id", self.last_id)
            if "data" in fields:
                return fields.get("event", "message"), json.loads(fields["data"])

    async def block(self) -> str:
        while "\n\n" not in self.buffer:
            part = await self.communicator.receive_output(PATIENCE)
            self.buffer += part["body"].decode()
            assert part.get("more_body") or "\n\n" in self.buffer, "the stream has ended"
        block, _gap, self.buffer = self.buffer.partition("\n\n")
        return block

    async def receive(self) -> dict[str, Any]:
        name, message = await self.event()
        while name == "alive":
            # a machine that is busy may fall silent where a test does not expect it
            name, message = await self.event()
        assert name == "message", (name, message)
        self.messages.append(message)
        decoded: dict[str, Any] = message
        return decoded

    async def until(self, kind: str) -> dict[str, Any]:
        """The next frame whose `type` or `kind` is `kind`."""
        while True:
            message = await self.receive()
            if kind in (message["type"], message.get("kind")):
                return message

    async def close_code(self) -> int:
        while True:
            name, data = await self.event()
            if name == "close":
                code: int = data["code"]
                return code

    def seqs(self, task_id: str) -> list[int]:
        return [m["seq"] for m in self.messages if m.get("task_id") == task_id and "kind" in m]

    def types(self) -> list[str]:
        return [m["type"] for m in self.messages if m["type"] not in ("models", "queue")]


class HttpClient:
    """A signed-in client that sends plain requests."""

    def __init__(self, client: AsyncClient) -> None:
        self.client = client

    @property
    def session_key(self) -> str:
        key: str = self.client.cookies[settings.SESSION_COOKIE_NAME].value
        return key

    async def post(self, text: str | bytes, **headers: str) -> Any:
        return await self.client.post(
            "/messages/", text, content_type="application/json", headers=headers
        )

    async def send(self, **message: Any) -> list[dict[str, Any]]:
        answer = await self.post(json.dumps(message))
        assert answer.status_code == 200, answer.content
        frames: list[dict[str, Any]] = json.loads(answer.content)["frames"]
        return frames

    async def generate(self, prompt: str = "LiuJuan", **fields: Any) -> str:
        ack, *_rest = await self.send(action="generate", prompt=prompt, **fields)
        task_id: str = ack["task_id"]
        return task_id

    async def poll(self, since: float | None = None, **cursors: int) -> list[dict[str, Any]]:
        query = {"cursors": json.dumps(cursors)} if cursors else {}
        if since is not None:
            query["since"] = str(since)
        answer = await self.client.get("/events/poll/", query)
        assert answer.status_code == 200, answer.content
        frames: list[dict[str, Any]] = json.loads(answer.content)["frames"]
        return [frame for frame in frames if frame["type"] != "models"]


OpenStream = Callable[..., Awaitable[StreamClient]]
SignedIn = Callable[..., Awaitable[HttpClient]]


@pytest.fixture
async def open_stream(running_hub: None, alice: User) -> AsyncIterator[OpenStream]:
    """`await open_stream()`: a stream of alice whose `hello` has not been read yet."""
    readers: list[StreamClient] = []

    async def open_one(
        cursors: dict[str, int] | None = None,
        user: User | None = alice,
        last_id: str | None = None,
        since: float | None = None,
    ) -> StreamClient:
        cookie = await cookie_of(user) if user else ""
        readers.append(await StreamClient(cookie, cursors, last_id, since).open())
        return readers[-1]

    yield open_one
    await asyncio.gather(*(reader.close() for reader in readers))


@pytest.fixture
async def reader(open_stream: OpenStream) -> StreamClient:
    """A stream of alice whose `hello` has been read."""
    reader = await open_stream()
    await reader.until("hello")
    return reader


@pytest.fixture
async def signed_in(running_hub: None) -> SignedIn:
    """`await signed_in(user)`: that person, with a bucket that is full."""
    request_buckets.by_owner.clear()

    async def sign_in(user: User, *, checks_csrf: bool = False) -> HttpClient:
        client = AsyncClient(enforce_csrf_checks=checks_csrf)
        await sync_to_async(client.force_login)(user)
        return HttpClient(client)

    return sign_in


@pytest.fixture
async def person(alice: User, signed_in: SignedIn) -> HttpClient:
    """alice, signed in."""
    return await signed_in(alice)
