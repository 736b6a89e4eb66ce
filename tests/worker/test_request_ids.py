"""The id of a request goes from the web process through the worker to the model server."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from accounts.log_context import logging_with
from generation import services
from generation.models import GenerationTask
from generation.protocol import Generate
from liujuan_site.asgi import application
from liujuan_site.log_filters import JsonFormatter
from tests.socket.sockets import OpenPage
from tests.socket.tokens import token_of
from tests.worker.demo_worker import SMALL, DemoWorker, StartWorker, ending

DRAW = ("/sdapi/v1/txt2img", "/v1/images/generations")


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """Every line from DEBUG on, as it would be written."""
    written: list[dict[str, Any]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(json.loads(self.format(record)))

    handler, root = Keep(), logging.getLogger()
    handler.setFormatter(JsonFormatter())
    root.addHandler(handler)
    yield written
    root.removeHandler(handler)


async def answer(method: str, url: str, **options: Any) -> httpx.Response:
    """The response of the whole application."""
    everything: Any = application
    async with httpx.AsyncClient(transport=httpx.ASGITransport(everything)) as client:
        return await client.request(method, url, **options)


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [
        *(("7f3a-From-A-Proxy", True), ("x" * 64, True)),
        *(("x" * 65, False), ("two words", False), ("a=b", False), ("", False)),
    ],
)
async def test_a_plain_id_is_kept_and_returned(given: str, is_kept: bool) -> None:
    sent = {"X-Request-ID": given}
    first, second = [
        (await answer("GET", "http://testserver/healthz", headers=sent)).headers["X-Request-ID"]
        for _again in range(2)
    ]

    assert first.replace("-", "").isalnum()
    assert (first == given) == is_kept
    assert (first == second) == is_kept


@pytest.mark.django_db(transaction=True)
async def test_lines_of_a_request_carry_its_id(lines: list[dict[str, Any]]) -> None:
    sent = {"X-Request-ID": "of-this-request"}
    await answer("GET", "http://evil.example/accounts/sign-in/", headers=sent)

    refused = [line for line in lines if line.get("event") == "host_refused"]
    assert [line["request"] for line in refused] == ["of-this-request"]


@pytest.fixture
async def flaky_worker(start_worker: StartWorker) -> DemoWorker:
    """Its first call is answered 500."""
    return await start_worker(faults=[{"do": "status", "status": 500, "times": 1}])


async def test_the_id_of_a_socket_is_that_of_its_tasks(
    flaky_worker: DemoWorker, open_page: OpenPage, lines: list[dict[str, Any]]
) -> None:
    page = await open_page(**{"x-request-id": "given-by-nginx"})
    task_id = await page.generate(**SMALL)
    await ending(page, task_id)
    await flaky_worker.runner.drain()

    assert (await GenerationTask.objects.aget(pk=task_id)).correlation_id == "given-by-nginx"
    assert "given-by-nginx" not in str(page.messages)
    assert_every_line_names_the_task(lines, task_id, flaky_worker, "given-by-nginx")
    assert_calls_carry(flaky_worker, "given-by-nginx")


async def test_the_id_of_a_request_is_that_of_its_task(
    flaky_worker: DemoWorker, open_page: OpenPage, alice: User, now: datetime, lines: list[Any]
) -> None:
    page = await open_page()
    response = await answer(
        "POST",
        "http://testserver/api/v1/tasks",
        json={"prompt": "LiuJuan", **SMALL},
        headers={"Authorization": f"Bearer {await token_of(alice, now)}"},
    )
    assert response.status_code == 201
    task_id = str((await GenerationTask.objects.aget()).pk)
    await page.ask(action="attach", task_id=task_id)
    await ending(page, task_id)
    await flaky_worker.runner.drain()

    assert_every_line_names_the_task(lines, task_id, flaky_worker, response.headers["X-Request-ID"])
    assert_calls_carry(flaky_worker, response.headers["X-Request-ID"])


@sync_to_async
def claimed_by_a_dead_worker(owner: User, request: str) -> str:
    """The id of a task that a worker of another host took and then left."""
    now = timezone.now()
    worker = services.register_worker(host="elsewhere", pid=1, version="t", now=now)
    with logging_with(request=request), transaction.atomic():
        task = services.submit(owner=owner, request=Generate(prompt="LiuJuan"), now=now).task
        services.claim(worker_id=worker.pk, now=now)
    services.expire_worker(worker_id=worker.pk, now=now)
    return str(task.pk)


async def test_a_take_over_names_the_request(
    start_worker: StartWorker, alice: User, lines: list[dict[str, Any]]
) -> None:
    demo_worker = await start_worker()
    task_id = await claimed_by_a_dead_worker(alice, "of-the-submission")
    await demo_worker.runner.expire()

    ours = {line["event"]: line for line in lines if line.get("task") == task_id}
    assert {"attempt_interrupted", "slot_taken_over"} <= ours.keys()
    assert {line["request"] for line in ours.values()} == {"of-the-submission"}
    assert {line["attempt"] for line in ours.values()} == {1}
    assert all(line["worker"] for line in ours.values())


def assert_every_line_names_the_task(
    lines: list[dict[str, Any]], task_id: str, demo_worker: DemoWorker, request: str
) -> None:
    """Those from INFO on of what the worker did for it."""
    ours = [line for line in lines if line["level"] != "DEBUG" and line.get("task") == task_id]
    assert [line["event"] for line in ours] == ["attempt_interrupted", "task_completed"]
    worker = str(demo_worker.runner.worker_id)[:8]
    for attempt, line in enumerate(ours, start=1):
        assert (line["attempt"], line["worker"], line["request"]) == (attempt, worker, request)


def assert_calls_carry(demo_worker: DemoWorker, request: str) -> None:
    drawn = {sent for path, sent in demo_worker.requests if path in DRAW}
    polled = {sent for path, sent in demo_worker.requests if path.startswith("/v1/requests/")}
    assert (drawn, polled) == ({request}, {request})
    assert ("/v1/models", "") in demo_worker.requests
