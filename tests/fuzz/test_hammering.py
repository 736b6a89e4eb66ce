"""Two users try each other's ids through every channel, at the same time, and learn nothing."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from pathlib import Path
from statistics import median
from time import monotonic, perf_counter
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.apps import apps
from django.contrib.auth.models import User
from django.test import AsyncClient

from accounts.tokens import create_token
from generation import services
from generation.models import WebProcess
from generation.protocol import WebhookRequest
from generation.sessions import TokenBucket, owner_buckets, request_buckets
from tests.api.api_program import OPERATIONS, body_for
from tests.conftest import serve_model
from tests.factories import finished_task
from tests.security.walk import seen
from tests.socket.sockets import Page, cookie_of

SECONDS = float(os.environ.get("HAMMER_SECONDS", "2"))
APPS = ("auth", "accounts", "generation")
NOWHERE = "00000000-0000-4000-8000-000000000000"
PATHS = (
    *("/tasks/{}/", "/tasks/{}/timeline/", "/pictures/{}/1/", "/pictures/{}/1/thumbnail/"),
    *("/pictures/{}/1/about/", "/trash/{}/1/thumbnail/", "/cards/?task={}", "/?from={}:1"),
)
FORMS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/gallery/favourite/", {"pictures": ["{}:1"], "favourite": True}),
    ("/gallery/delete/", {"pictures": ["{}:1"], "tasks": []}),
    ("/gallery/restore/", {"pictures": [], "tasks": ["{}"]}),
    ("/tasks/{}/share/", {}),
    ("/messages/", {"action": "cancel", "task_id": "{}"}),
)
ACTIONS = ("attach", "detach", "cancel", "retry")


class Hammer:
    """A user with a session, a token and a socket, that asks for what it does not have."""

    def __init__(self, cookie: str, token: str, target: str) -> None:
        self.client = AsyncClient()
        self.client.cookies.load(cookie)
        self.program = AsyncClient()
        self.bearer = {"authorization": f"Bearer {token}"}
        self.page = Page({"host": "testserver", "origin": "http://testserver", "cookie": cookie})
        self.target = target
        self.requests = 0
        self.seconds: dict[str, list[float]] = {target: [], NOWHERE: []}

    async def run(self, until: float) -> None:
        await self.page.open()
        await self.page.receive()
        while monotonic() < until:
            for path in PATHS:
                await self.compare(lambda at, path=path: self.client.get(path.format(at)))
            for path, body in FORMS:
                await self.compare(lambda at, path=path, body=body: self.post(path, body, at))
            for method, path in OPERATIONS:
                await self.compare(lambda at, m=method, path=path: self.call(m, path, at))
            for action in ACTIONS:
                theirs, nothing = [
                    await self.page.ask(action=action, task_id=at) for at in (self.target, NOWHERE)
                ]
                assert theirs == nothing
                self.requests += 2
        await self.page.close()

    async def compare(self, ask: Any) -> None:
        answers = []
        # each comes first in half of the comparisons
        for at in sorted((self.target, NOWHERE), reverse=bool(self.requests % 4)):
            began = perf_counter()
            answers.append(seen(await ask(at)))
            self.seconds[at].append(perf_counter() - began)
        assert answers[0] == answers[1]
        self.requests += 2

    async def post(self, path: str, body: Any, at: str) -> Any:
        filled = {
            name: [each.format(at) for each in value] if isinstance(value, list) else value
            for name, value in body.items()
        }
        if "task_id" in filled:
            filled["task_id"] = at
        return await self.client.post(path.format(at), filled, content_type="application/json")

    async def call(self, method: str, path: str, at: str) -> Any:
        request = getattr(self.program, method.lower())
        body = body_for(path)
        sent = {} if body is None else {"data": body, "content_type": "application/json"}
        return await request(f"/api/v1/tasks/{at}{path}", headers=self.bearer, **sent)


@pytest.fixture
async def hammers(
    running_hub: None, alice: User, bob: User, media: Path, now: datetime
) -> list[Hammer]:
    await sync_to_async(serve_model)(now=now)
    for user in (alice, bob):
        for buckets in (request_buckets, owner_buckets):
            buckets.by_owner[user.pk] = TokenBucket(rate=1e9, burst=1e9)
    tasks = [await sync_to_async(create_task)(user, now) for user in (bob, alice)]
    return [
        Hammer(
            await cookie_of(user),
            await sync_to_async(create_token)(owner=user, name="", now=now),
            target,
        )
        for user, target in zip((alice, bob), tasks, strict=True)
    ]


def create_task(user: User, now: datetime) -> str:
    """Create a task with a share link, and a webhook; returns the id of the task."""
    task = finished_task(user, now)
    services.create_link(task=task, now=now)
    values = services.webhook_values(WebhookRequest(url="https://hooks.example/"))
    services.create_webhook(owner=user, values=values, now=now)
    return str(task.pk)


def stored() -> dict[str, list[Any]]:
    """All rows of the studio's tables by model, without the time of a token's last use.

    Also without what a process reports of itself.
    """
    models = [model for label in APPS for model in apps.get_app_config(label).get_models()]
    models.remove(WebProcess)
    names = {
        model: [field.attname for field in model._meta.fields if field.name != "last_used"]
        for model in models
    }
    return {
        model.__name__: list(model._default_manager.order_by("pk").values(*names[model]))
        for model in models
    }


async def test_two_users_learn_nothing_of_each_other(hammers: list[Hammer]) -> None:
    before = await sync_to_async(stored)()
    until = monotonic() + SECONDS

    await asyncio.gather(*(each.run(until) for each in hammers))

    assert await sync_to_async(stored)() == before
    print(f"hammering: {sum(each.requests for each in hammers)} requests in {SECONDS:.0f} s")
    for each in hammers:
        theirs, nothing = (median(each.seconds[at]) * 1_000 for at in (each.target, NOWHERE))
        print(f"median of another user's ids {theirs:.2f} ms, of ids of nothing {nothing:.2f} ms")
