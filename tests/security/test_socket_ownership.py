"""Actions of the socket and the transports without one, for every role."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient

from generation.api.mcp_server import TOOLS
from generation.protocol.client_messages import ACTIONS
from tests.conftest import serve_model
from tests.fallback.http_clients import StreamClient
from tests.security.ownership import HELP, MCP, ROLES, SOCKET, TRANSPORTS, Outcome, Row
from tests.security.walk import differences, filled
from tests.security.world import World, create_world
from tests.socket.sockets import PATIENCE, Page

IN_ORDER = [*(role for role in ROLES if role != "disabled"), "disabled"]
"""The last one disables the owner."""


@pytest.fixture
async def world(running_hub: None, media: Path, now: datetime) -> World:
    await sync_to_async(serve_model)(now=now)
    return await sync_to_async(create_world)(now)


async def apply_role(role: str) -> None:
    if role == "disabled":
        await User.objects.filter(username="owner").aupdate(is_active=False)


async def socket_of(world: World, role: str) -> Page | str:
    """A socket that has had its `hello`, or how it was closed."""
    headers = {"host": "testserver", "origin": "http://testserver", **world.headers(role)}
    page = await Page(headers).open()
    first = await page.socket.receive_output(PATIENCE)
    return f"closed {first['code']}" if first["type"] == "websocket.close" else page


async def send_action(page: Page, row: Row, names: Any) -> dict[str, Any]:
    """What a socket answers first to the action of `row`, or else to the ping behind it."""
    if row.address != "ping":
        await page.send(**filled(row.body, names))
    answer = await page.ask(action="ping")
    if answer["type"] != "pong":
        await page.until("pong")
    return answer


def test_every_action_has_a_row() -> None:
    assert {row.address for row in SOCKET} == set(ACTIONS), HELP


async def test_every_role_gets_from_the_socket_what_the_table_says(world: World) -> None:
    wrong = []
    for role in IN_ORDER:
        await apply_role(role)
        page = await socket_of(world, role)
        for row in SOCKET:
            if isinstance(page, str):
                wrong += differences(row, {role: page})
            else:
                answer = await send_action(page, row, world.names)
                wrong += differences(row, {role: answer.get("code", answer["type"])})
        if isinstance(page, Page):
            await page.close()

    assert not wrong, "\n".join([*wrong, HELP])


async def test_a_task_of_another_user_looks_like_a_missing_one_to_the_socket(world: World) -> None:
    page = await socket_of(world, "other")
    assert isinstance(page, Page)
    for row in SOCKET:
        if row.names_something(""):
            theirs, nothing = [
                await send_action(page, row, names) for names in (world.names, world.unknown())
            ]
            assert theirs == nothing
    await page.close()


def test_every_tool_has_a_row() -> None:
    assert {row.address for row in MCP} == set(TOOLS), HELP


async def test_every_role_gets_from_the_tools_what_the_table_says(world: World) -> None:
    wrong = []
    for role in IN_ORDER:
        await apply_role(role)
        for row in MCP:
            answer = await tool_answer(world, row, role, world.names)
            wrong += differences(row, {role: outcome_of(answer)})

    assert not wrong, "\n".join([*wrong, HELP])


async def test_a_task_of_another_user_looks_like_a_missing_one_to_tools(world: World) -> None:
    for row in MCP:
        if row.names_something(""):
            theirs, nothing = [
                await tool_answer(world, row, "other", names)
                for names in (world.names, world.unknown())
            ]
            assert theirs == nothing


async def tool_answer(world: World, row: Row, role: str, names: Any) -> int | dict[str, Any]:
    """The result of a call, or the status of a refusal."""
    call = {"name": row.address, "arguments": filled(row.body, names)}
    response = await AsyncClient().post(
        "/mcp",
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call},
        content_type="application/json",
        headers={
            "accept": "application/json, text/event-stream",
            **world.headers(role, is_program=True),
        },
    )
    if response.status_code != 200:
        return response.status_code
    streamed: Any = response
    parts = [part async for part in streamed] if response.streaming else [response.content]
    lines = b"".join(parts).decode().splitlines()
    (data,) = [line.removeprefix("data: ") for line in lines if line.startswith(("data: {", "{"))]
    result: dict[str, Any] = json.loads(data)["result"]
    return result


def outcome_of(answer: int | dict[str, Any]) -> Outcome:
    if isinstance(answer, int):
        return answer
    return str(answer["structuredContent"]["code"]) if answer.get("isError") else "result"


async def test_every_role_gets_from_the_transports_what_the_table_says(world: World) -> None:
    wrong = []
    for role in IN_ORDER:
        await apply_role(role)
        for row in TRANSPORTS:
            wrong += differences(row, {role: await transported(world, row, role)})

    assert not wrong, "\n".join([*wrong, HELP])


async def transported(world: World, row: Row, role: str) -> Outcome:
    """The status, or what a stream sends first."""
    headers = world.headers(role)
    if row.address == "events/":
        stream = await StreamClient(headers.get("cookie", ""), None, None, None).open()
        name, data = await stream.event()
        await stream.close()
        return f"closed {data['code']}" if name == "close" else str(data["type"])
    client = AsyncClient()
    client.cookies.load(headers.pop("cookie", ""))
    options: dict[str, Any] = {"headers": headers}
    if row.method == "POST":
        options |= {"data": filled(row.body, world.names), "content_type": "application/json"}
    response = await getattr(client, row.method.lower())(f"/{row.address}", **options)
    status: int = response.status_code
    return status
