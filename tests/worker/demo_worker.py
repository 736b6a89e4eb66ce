"""A worker with the demo model in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from demo_xinference.app import DemoXinference, create_app
from generation.worker import WorkerRunner
from generation.xinference import XinferenceClient
from tests.socket.sockets import Page

SMALL: dict[str, Any] = {"size": "256x256", "steps": 4}
SPEED = 40.0
"""A 512² picture of 9 steps in about a tenth of a second."""


@dataclass
class DemoWorker:
    demo: DemoXinference
    runner: WorkerRunner
    requests: list[tuple[str, str]] = field(default_factory=list)
    """Path and X-Request-ID of each request to the demo model."""

    async def stop(self) -> None:
        if not self.runner.draining:
            await self.runner.drain()
        await self.demo.aclose()


StartWorker = Callable[..., Awaitable[DemoWorker]]


@pytest.fixture
async def start_worker(running_hub: None) -> AsyncIterator[StartWorker]:
    """`await start_worker(faults=[…])`: a worker that has seen the demo model."""
    demo_workers: list[DemoWorker] = []

    async def start(*, speed: float = SPEED, **options: Any) -> DemoWorker:
        demo = create_app(speed=speed, **options)
        requests: list[tuple[str, str]] = []

        async def noting(scope: Any, receive: Any, send: Any) -> None:
            requests.append(
                (scope["path"], dict(scope["headers"]).get(b"x-request-id", b"").decode())
            )
            await demo(scope, receive, send)

        transport = httpx.ASGITransport(noting, raise_app_exceptions=False)
        client = XinferenceClient(base_url="http://demo", transport=transport)
        runner = WorkerRunner(lambda _server: client, version="test")
        demo_worker = DemoWorker(demo=demo, runner=runner, requests=requests)
        demo_workers.append(demo_worker)
        await demo_worker.runner.start()
        await probe(demo_worker.runner)
        return demo_worker

    yield start
    for demo_worker in demo_workers:
        await demo_worker.stop()


async def probe(runner: WorkerRunner) -> None:
    """Ask all servers now, as their loops do every 5 s."""
    await runner.follow_servers()
    await runner.servers.probe_all()


async def ending(page: Page, task_id: str) -> dict[str, Any]:
    """The frame that ends the task, even if it has arrived already."""
    while not (ends := [m for m in page.messages if is_end(m) and m["task_id"] == task_id]):
        await page.receive(30)
    return ends[0]


def is_end(message: dict[str, Any]) -> bool:
    refused = message["type"] == "error" and "seq" not in message
    return message["type"] in ("result", "error", "cancelled") and not refused


async def seen_at(page: Page, step: str) -> None:
    """Wait until a task of the page has started this step."""
    while not any(message.get("step") == step for message in page.messages):
        await page.receive(30)


def kinds(page: Page, task_id: str) -> list[str]:
    return [m["kind"] for m in page.messages if m.get("task_id") == task_id and "kind" in m]


def steps(page: Page, task_id: str) -> list[str]:
    """The started steps, in order."""
    return [
        m["step"]
        for m in page.messages
        if m.get("task_id") == task_id and m.get("kind") in ("submitted", "step_began", "completed")
    ]
