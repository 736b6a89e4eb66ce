"""A program that uses the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient

from tests.socket.tokens import token_of

OPERATIONS = [
    ("GET", ""),
    ("DELETE", ""),
    ("GET", "/events"),
    ("GET", "/stream"),
    ("POST", "/cancel"),
    ("POST", "/retry"),
    ("POST", "/restore"),
    ("POST", "/share-links"),
    ("DELETE", "/share-links"),
    ("GET", "/pictures/1"),
    ("DELETE", "/pictures/1"),
    ("POST", "/pictures/1/restore"),
    ("PUT", "/pictures/1/favourite"),
    ("POST", "/pictures/1/appeal"),
]
"""(method, path) of what can be done with a task, below its address."""


def body_for(path: str) -> Any:
    bodies = {"favourite": {"favourite": True}, "appeal": {"text": "It is a statue."}}
    return bodies.get(path.rpartition("/")[2])


class Program:
    """Calls operations below /api/v1 with a token."""

    def __init__(self, token: str) -> None:
        self.client = AsyncClient()
        self.headers = {"authorization": f"Bearer {token}"}

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The response; `headers` with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named = self.headers | named
        request = getattr(self.client, method.lower())
        path = path if path.startswith("http") else f"/api/v1{path}"
        if body is None:
            return await request(path, headers=named)
        return await request(path, body, content_type="application/json", headers=named)

    async def get(self, path: str, **headers: str) -> Any:
        return await self.call("GET", path, **headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return await self.call("POST", path, body, **headers)

    async def submit(self, prompt: str = "LiuJuan", **fields: Any) -> dict[str, Any]:
        response = await self.post("/tasks", {"prompt": prompt, **fields})
        assert response.status_code == 201, response.content
        task: dict[str, Any] = response.json()
        return task


NewProgram = Callable[..., Awaitable[Program]]


@pytest.fixture
async def new_program(running_hub: None, alice: User, now: datetime) -> NewProgram:
    """`await new_program(user)`: a program of alice, or of another user."""

    async def create(user: User = alice) -> Program:
        return Program(await token_of(user, now))

    return create


@pytest.fixture
async def program(new_program: NewProgram) -> Program:
    return await new_program()
