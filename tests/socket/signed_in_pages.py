"""Sockets of signed-in browsers, and what becomes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client

from tests.socket.sockets import PATIENCE, Page, Visitor


@sync_to_async
def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


async def page_of(client: Client, visitor: Visitor) -> Page:
    cookies = "; ".join(f"{name}={each.value}" for name, each in client.cookies.items())
    page = await visitor(cookie=cookies, origin="http://testserver")
    assert (await page.receive())["type"] == "hello"
    return page


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  the hub detaches without telling
            await asyncio.sleep(0.02)


async def is_open(page: Page) -> bool:
    answer = await page.ask(action="ping", cursors={})
    return bool(answer["type"] == "pong")
