"""Clients of the Model Context Protocol: the official one, against the whole application."""

from __future__ import annotations

import base64
import io
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import httpx2
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.core.asgi import get_asgi_application
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, ContentBlock, ImageContent, TextContent
from PIL import Image
from pytest_django import Settings

from accounts.models import TokenScope
from accounts.tokens import create_token
from generation import images
from generation.api.mcp_results import MAX_CONTENT
from generation.models import GeneratedImage, GenerationTask, Worker
from tests.api.api_program import Program
from tests.factories import finished_task
from tests.socket.task_events import claim, complete
from tests.worker.demo_worker import SMALL, StartWorker

pytestmark = pytest.mark.django_db(transaction=True)

URL = "http://testserver/mcp"
NOWHERE = "00000000-0000-4000-8000-000000000000"
"""The id of no task."""


@asynccontextmanager
async def connected(program: Program, mode: Any = "auto") -> AsyncGenerator[Client]:
    transport = httpx2.ASGITransport(get_asgi_application())  # type: ignore[arg-type]
    async with (
        httpx2.AsyncClient(transport=transport, headers=program.headers, timeout=60) as http,
        Client(streamable_http_client(URL, http_client=http), mode=mode) as client,
    ):
        yield client


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_gets_its_picture(
    program: Program, start_worker: StartWorker, mode: str
) -> None:
    await start_worker()
    seen: list[tuple[float, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        assert total == 100
        seen.append((progress, message))

    async with connected(program, mode) as client:
        names = [each.name for each in (await client.list_tools()).tools]
        result = await client.call_tool(
            "draw", {"prompt": "a hill", **SMALL, "n": 2}, progress_callback=note
        )

    assert names == ["draw", "status", "cancel", "pictures"]
    assert not result.is_error
    task = result.structured_content
    assert (task["status"], len(task["pictures"])) == ("completed", 2)
    assert task["id"] in text_of(result)
    assert task["pictures"][0]["url"] in text_of(result)
    assert [size_of(each) for each in result.content[1:]] == [(256, 256)] * 2
    assert seen[0][0] == 0
    assert task["id"] in (seen[0][1] or "")
    assert [progress for progress, _message in seen] == sorted({each for each, _ in seen})
    assert seen[-1][0] == 100


def text_of(result: CallToolResult) -> str:
    first = result.content[0]
    assert isinstance(first, TextContent)
    return first.text


def file_of(content: ContentBlock) -> tuple[str, bytes]:
    assert isinstance(content, ImageContent)
    return content.mime_type, base64.b64decode(content.data, validate=True)


def size_of(content: ContentBlock) -> tuple[int, int]:
    with Image.open(io.BytesIO(file_of(content)[1])) as picture:
        return picture.size


async def test_a_task_is_followed_listed_and_cancelled(program: Program, model: str) -> None:
    task = await program.submit("a gate")

    async with connected(program) as client:
        shown = await client.call_tool("status", {"task_id": task["id"]})
        found = await client.call_tool("pictures", {"text": "gate", "limit": 1})
        answers = [await client.call_tool("cancel", {"task_id": task["id"]}) for _each in range(2)]

    assert shown.structured_content["status"] == "queued"
    assert task["id"] in text_of(shown)
    assert found.structured_content == {"pictures": [], "next": None}
    assert [each.structured_content for each in answers] == [{"answer": "cancelled"}] * 2


async def test_pictures_are_listed_with_their_addresses(
    program: Program, model: str, worker: Worker, media: Any
) -> None:
    task = await program.submit()
    await complete(await claim(worker))

    async with connected(program) as client:
        (picture,) = (await client.call_tool("pictures")).structured_content["pictures"]

    assert picture["task_id"] == task["id"]
    assert picture["url"] == f"http://testserver/pictures/{task['id']}/1/"


async def test_of_a_large_picture_the_thumbnail_is_sent(
    program: Program, model: str, worker: Worker, media: Any
) -> None:
    task = await program.submit()
    await complete(await claim(worker))
    picture = await GeneratedImage.objects.aget()
    await sync_to_async(images.write)(picture.file, b"x" * MAX_CONTENT + b"x")
    await GeneratedImage.objects.aupdate(bytes=MAX_CONTENT + 1)

    async with connected(program) as client:
        _text, before = (await client.call_tool("status", {"task_id": task["id"]})).content
        thumbnail = await sync_to_async(images.write_thumbnail)(picture.file, b"small")
        await GeneratedImage.objects.aupdate(thumbnail=thumbnail)
        _text, after = (await client.call_tool("status", {"task_id": task["id"]})).content

    assert before.type == "text"
    assert file_of(after) == ("image/webp", b"small")


async def test_a_task_that_fails_says_why(program: Program, start_worker: StartWorker) -> None:
    await start_worker(faults=[{"do": "status", "status": 400, "detail": "no"}])

    async with connected(program) as client:
        result = await client.call_tool("draw", {"prompt": "x", **SMALL})

    assert result.is_error
    assert "request_refused" in text_of(result)


@pytest.mark.parametrize(
    ("tool", "arguments", "code", "field"),
    [
        ("draw", {}, "bad_message", "prompt"),
        ("draw", {"prompt": " "}, "prompt_empty", "prompt"),
        ("draw", {"prompt": "x", "size": "1x1"}, "size_invalid", "size"),
        ("draw", {"prompt": "x", "colour": "red"}, "unknown_field", "colour"),
        ("draw", {"prompt": "x", "action": "ping"}, "unknown_field", "action"),
        ("draw", {"prompt": "x", "wait": 601}, "bad_message", "wait"),
        ("status", {"task_id": "odd"}, "not_found", None),
        ("status", {"task_id": NOWHERE, "after": 1}, "unknown_field", "after"),
        ("cancel", {"task_id": 7}, "bad_message", "task_id"),
        ("pictures", {"favourite": 1}, "bad_message", "favourite"),
        ("pictures", {"before": "odd"}, "bad_message", "before"),
    ],
)
async def test_errors_are_those_of_the_api(
    program: Program, tool: str, arguments: dict[str, Any], code: str, field: str | None
) -> None:
    problem = await refused(program, tool, arguments)

    assert (problem["code"], problem.get("field")) == (code, field)
    assert not await GenerationTask.objects.aexists()


async def test_a_task_of_another_user_looks_like_none(
    program: Program, bob: User, model: str, now: datetime, media: Any
) -> None:
    foreign = await sync_to_async(finished_task)(bob, now)

    for tool in ("status", "cancel"):
        theirs, none = [
            await refused(program, tool, {"task_id": str(task)}) for task in (foreign.pk, NOWHERE)
        ]
        assert theirs == none
        assert theirs["code"] == "not_found"


async def test_a_token_that_may_read_draws_and_cancels_nothing(
    running_hub: None, alice: User, program: Program, now: datetime
) -> None:
    task = await program.submit()
    token = await sync_to_async(create_token)(owner=alice, name="", now=now, scope=TokenScope.READ)
    reader = Program(token)

    for tool, arguments in (("draw", {"prompt": "x"}), ("cancel", {"task_id": task["id"]})):
        assert (await refused(reader, tool, arguments))["code"] == "scope_missing"
    async with connected(reader) as client:
        shown = await client.call_tool("status", {"task_id": task["id"]})
    assert shown.structured_content["status"] == "queued"
    assert await GenerationTask.objects.acount() == 1


async def test_without_room_for_one_more_connection_the_task_goes_on(
    program: Program, model: str, settings: Settings
) -> None:
    settings.CONNECTIONS_PER_PERSON = 0

    async with connected(program) as client:
        result = await client.call_tool("draw", {"prompt": "x", "wait": 600})

    assert not result.is_error
    assert result.structured_content["status"] == "queued"


async def refused(program: Program, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The problem with which the call ends."""
    async with connected(program) as client:
        result = await client.call_tool(tool, arguments)
    assert result.is_error
    problem: dict[str, Any] = result.structured_content
    assert text_of(result).startswith(f"{problem['code']}: ")
    return problem


async def test_unknown_tools_are_errors_of_the_protocol(program: Program) -> None:
    async with connected(program) as client:
        with pytest.raises(MCPError):
            await client.call_tool("erase")
