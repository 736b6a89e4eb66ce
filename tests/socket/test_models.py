"""Status of the models on pages, live and per user."""

from __future__ import annotations

import asyncio

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.utils import timezone

from generation.hub import hub
from generation.models import Worker
from tests.factories import refuse_key
from tests.query_plans import queries_of_threads
from tests.socket.sockets import OpenPage, Page

pytestmark = pytest.mark.usefixtures("model")


async def test_forecasts_are_per_user(bob: User, worker: Worker, open_page: OpenPage) -> None:
    hers, bobs = await open_page(), await open_page(bob)
    for _each in range(3):
        await hers.generate()

    mine = await hers.models_until(lambda wait: wait["position"] == 4)
    other = await bobs.models_until(lambda wait: wait["position"] == 2)

    assert mine["ready"] is True
    assert mine["wait"]["reason"] == other["wait"]["reason"] == "in_line"
    assert mine["wait"]["eta_seconds"] > other["wait"]["eta_seconds"]


async def test_model_changes_are_sent_once(worker: Worker, page: Page) -> None:
    await page.models_until(lambda wait: wait["reason"] == "in_line")
    for _each in range(3):
        await hub.publish_positions()

    await database_sync_to_async(refuse_key)(timezone.now())
    await hub.publish_positions()
    row = await page.models_until(lambda wait: wait["reason"] == "key_refused")

    assert row["ready"] is False
    assert len(page.models) == 2


async def test_without_pages_nothing_is_read(running_hub: None) -> None:
    async with queries_of_threads() as sent:
        await hub.publish_positions()

    assert sent == []


async def test_hello_precedes_models(worker: Worker, open_page: OpenPage) -> None:
    """The readings go on while sockets come in; open_page() fails if anything precedes hello."""

    async def publish_all_the_time() -> None:
        while True:
            await hub.publish_positions()
            await asyncio.sleep(0)

    publishing = asyncio.create_task(publish_all_the_time())
    pages = [await open_page() for _each in range(8)]
    publishing.cancel()

    assert all(page.messages[0]["type"] == "hello" and not page.models for page in pages[-1:])
