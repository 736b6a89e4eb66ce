"""Calls that reach a replica that is gone, while another one works: they never began."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from demo_xinference.app import DemoXinference, create_app
from generation.models import GenerationTask, ModelServer
from generation.worker import WorkerRunner
from generation.worker.task_run import MAX_REPEATS
from generation.xinference import XinferenceClient
from tests.socket.sockets import Page
from tests.worker.demo_worker import SMALL, SPEED, ending, kinds, probe

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("running_hub")]

NEVER_BEGUN = {
    "killed just now": "[address=127.0.0.1:4, pid=7] Connect call failed ('127.0.0.1', 5)",
    "restarts": "[address=127.0.0.1:4, pid=7] Model is in stopping state",
}


class GoneReplica:
    """The demo model behind a server that gives its first `refusals` calls to a gone replica."""

    def __init__(self, refusals: int, detail: str) -> None:
        self.demo: DemoXinference = create_app(speed=SPEED)
        self.refusals = refusals
        self.body = json.dumps({"detail": detail}).encode()
        self.ids: list[str] = []
        """Of the calls, in order."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] != "/sdapi/v1/txt2img":
            await self.demo(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        self.ids.append(json.loads(body)["request_id"])
        if len(self.ids) <= self.refusals:
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 500, "headers": headers})
            await send({"type": "http.response.body", "body": self.body})
            return
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def from_the_start() -> Any:
            return messages.pop() if messages else await receive()

        await self.demo(scope, from_the_start, send)


Serve = Callable[[int, str], Awaitable[GoneReplica]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """`await serve(refusals, detail)`: a worker that has seen this server."""
    running: list[tuple[WorkerRunner, GoneReplica]] = []

    async def start(refusals: int, detail: str) -> GoneReplica:
        server = GoneReplica(refusals, detail)
        transport = httpx.ASGITransport(server, raise_app_exceptions=False)

        def connect(_server: ModelServer) -> XinferenceClient:
            return XinferenceClient(base_url="http://demo", transport=transport)

        runner = WorkerRunner(connect, version="test")
        running.append((runner, server))
        await runner.start()
        await probe(runner)
        return server

    yield start
    for runner, server in running:
        await runner.drain()
        await server.demo.aclose()


@pytest.mark.parametrize("detail", NEVER_BEGUN.values(), ids=NEVER_BEGUN)
async def test_a_call_that_never_began_is_sent_again(page: Page, serve: Serve, detail: str) -> None:
    server = await serve(MAX_REPEATS, detail)

    task_id = await page.generate("LiuJuan", **SMALL)
    result = await ending(page, task_id)

    assert (result["type"], result["attempt"]) == ("result", 1)
    assert "interrupted" not in kinds(page, task_id)
    assert len(set(server.ids)) == len(server.ids) == MAX_REPEATS + 1


async def test_calls_that_never_begin_are_no_failed_attempts(page: Page, serve: Serve) -> None:
    server = await serve(MAX_REPEATS + 1, NEVER_BEGUN["restarts"])

    task_id = await page.generate("LiuJuan", **SMALL)
    result = await ending(page, task_id)

    assert (result["type"], result["attempt"]) == ("result", 2)
    assert (await GenerationTask.objects.aget(pk=task_id)).failed_attempts == 0
    assert len(set(server.ids)) == len(server.ids) == MAX_REPEATS + 2
