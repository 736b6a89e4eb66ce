"""Requests of the Model Context Protocol without a client: their checks, and their ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.models import User
from django.core.asgi import get_asgi_application
from django.test import AsyncClient

from accounts.models import ApiToken
from generation.hub import hub
from generation.models import GenerationTask
from tests.api.api_program import Program
from tests.worker.demo_worker import SMALL

pytestmark = pytest.mark.django_db(transaction=True)

URL = "http://testserver/mcp"
DRAW: dict[str, Any] = {"name": "draw", "arguments": {"prompt": "a hill", **SMALL}}
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": DRAW}
PROGRESSING = {**CALL, "params": {**DRAW, "_meta": {"progressToken": 1}}}
HEADERS = {"accept": "application/json, text/event-stream"}


async def test_a_client_that_disconnects_leaves_its_task(program: Program) -> None:
    """The first notification named the task."""
    request = connection_of(program, PROGRESSING)

    started = await request.receive_output(10)
    first = await request.receive_output(10)
    assert hub.outboxes
    await request.send_input({"type": "http.disconnect"})
    await request.wait(10)

    assert started["status"] == 200
    task = await GenerationTask.objects.aget()
    assert task.status == "queued"
    assert task.cancel_requested_at is None
    assert str(task.pk) in first["body"].decode()
    assert not hub.outboxes


async def test_a_call_that_waits_ends_with_its_token(program: Program, alice: User) -> None:
    request = connection_of(program, PROGRESSING)
    await request.receive_output(10)
    await request.receive_output(10)

    token = await ApiToken.objects.aget(owner=alice)
    await token.adelete()

    answer = await request.receive_output(10)
    assert "not_signed_in" in answer["body"].decode()
    while answer.get("more_body"):
        answer = await request.receive_output(10)
    await request.send_input({"type": "http.disconnect"})
    await request.wait(10)
    assert not hub.outboxes


def connection_of(program: Program, call: dict[str, Any]) -> ApplicationCommunicator:
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/mcp",
        "query_string": b"",
        "headers": [
            (name.encode(), value.encode())
            for name, value in {
                **program.headers,
                **HEADERS,
                "host": "testserver",
                "content-type": "application/json",
            }.items()
        ],
    }
    request = ApplicationCommunicator(get_asgi_application(), scope)
    request.input_queue.put_nowait({"type": "http.request", "body": json.dumps(call).encode()})
    return request


async def test_every_request_needs_a_token_and_no_foreign_page(program: Program) -> None:
    stranger = AsyncClient()
    foreign = await program.post(URL, CALL, Origin="https://evil.example", **HEADERS)
    own = await program.post(URL, CALL, Origin="http://testserver", accept="text/plain")

    for client_headers in ({}, {"authorization": "Bearer lj-wrong"}):
        response = await stranger.post(
            URL, CALL, content_type="application/json", headers=client_headers
        )
        assert (response.status_code, response.json()["code"]) == (401, "not_signed_in")
        assert response["WWW-Authenticate"] == "Bearer"
    assert (foreign.status_code, foreign.json()["code"]) == (403, "origin_refused")
    assert own.status_code == 406
    assert (await stranger.post("/mcp", headers={"host": "evil.example"})).status_code == 400
    assert not await GenerationTask.objects.aexists()


async def test_messages_are_bounded_and_posted(program: Program) -> None:
    large = await program.post(URL, {**CALL, "more": "x" * 70_000}, **HEADERS)

    assert (large.status_code, large.json()["code"]) == (413, "too_long")
    for method in ("GET", "DELETE"):
        response = await program.call(method, URL)
        assert (response.status_code, response["Allow"]) == (405, "POST")


@pytest.mark.parametrize("body", ["{", "[]", "7", {"jsonrpc": "2.0", "method": "x"}])
async def test_nonsense_is_refused_or_ignored(program: Program, body: Any) -> None:
    response = await program.post(URL, body, **HEADERS)

    assert response.status_code in (202, 400)
