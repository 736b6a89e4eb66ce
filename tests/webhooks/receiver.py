"""A server that receives messages on a real socket, and a sender."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import override_settings
from standardwebhooks import Webhook

from generation import services
from generation.outages import layer
from generation.protocol import WebhookRequest
from generation.services import NewWebhook
from generation.shutdown import cancel_and_wait
from generation.worker.webhook_sender import WebhookSender

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FAILING = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\nno.\n"


@dataclass
class Request:
    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> dict[str, Any]:
        """The content; raises unless the signature is right."""
        content: dict[str, Any] = Webhook(secret).verify(self.body, self.headers)
        return content


@dataclass
class Receiver:
    """Answers with `answers` in turn, then with `usual`; None never answers."""

    url: str = ""
    usual: bytes | None = OK
    answers: list[bytes | None] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    open: int = 0
    most_open: int = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *rest = head.strip().split("\r\n")
            headers = {
                name.lower(): value for name, value in (each.split(": ", 1) for each in rest)
            }
            body = await reader.readexactly(int(headers["content-length"]))
            self.open += 1
            self.most_open = max(self.most_open, self.open)
            self.requests.append(Request(line, headers, body))
            async with self.arrived:
                self.arrived.notify_all()
            answer = self.answers.pop(0) if self.answers else self.usual
            if answer is None:
                await reader.read()
                return
            writer.write(answer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self.open -= 1
            writer.close()

    async def received(self, count: int) -> list[Request]:
        """The requests, once there are `count`."""
        async with asyncio.timeout(30), self.arrived:
            await self.arrived.wait_for(lambda: len(self.requests) >= count)
        return self.requests


@asynccontextmanager
async def receiving(
    host: str = "127.0.0.1", *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    listener = await asyncio.start_server(receiver.talk, host, 0, ssl=tls)
    port = listener.sockets[0].getsockname()[1]
    receiver.url = f"http{'s' if tls else ''}://{host}:{port}/hook"
    try:
        yield receiver
    finally:
        listener.close()


@pytest.fixture
async def receiver(allow_loopback: None) -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
def allow_loopback() -> Iterator[None]:
    with override_settings(WEBHOOK_ALLOW=["127.0.0.0/8"]):
        yield


NewHook = Callable[..., Awaitable[NewWebhook]]


@pytest.fixture
async def new_hook(alice: User, receiver: Receiver, now: datetime) -> NewHook:
    """`await new_hook("task.progressed", …)`: a webhook of alice at the receiver."""

    def create(events: tuple[str, ...], url: str, owner: User) -> NewWebhook:
        request = WebhookRequest(url=url, events=events)
        values = services.webhook_values(request)
        return services.create_webhook(owner=owner, values=values, now=now)

    async def new_hook(*events: str, url: str = "", owner: User = alice) -> NewWebhook:
        return await sync_to_async(create)(events, url or receiver.url, owner)

    return new_hook


@pytest.fixture
async def sender(transactional_db: None) -> AsyncIterator[WebhookSender]:
    """Sends what is due."""
    sender = WebhookSender(lambda: False, layer)
    task = asyncio.create_task(sender.run())
    yield sender
    await cancel_and_wait(task)
    await sender.close()
