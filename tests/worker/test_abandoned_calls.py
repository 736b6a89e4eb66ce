"""Calls that must not be aborted: when their replica counts as free."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import httpx
import pytest

from demo_xinference.app import create_app
from generation.choices import Route
from generation.worker.abandoned_calls import GONE_AFTER, end_abandoned_call
from generation.xinference import XinferenceClient
from tests.contract.draw_requests import drawn, known, long, until
from tests.contract.served_models import served_models
from tests.worker.abandoned_calls import abandoned

# it asks whether the key may be sent; `running_hub` gives the connections back
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("running_hub")]


@pytest.fixture
async def client() -> AsyncIterator[XinferenceClient]:
    demo = create_app(speed=0.5, engine="vllm")
    transport = httpx.ASGITransport(demo, raise_app_exceptions=False)
    client = XinferenceClient(base_url="http://demo", transport=transport)
    yield client
    await client.aclose()
    await demo.aclose()


async def a_long_call(client: XinferenceClient) -> tuple[uuid.UUID, asyncio.Task[str]]:
    request_id = uuid.uuid4()
    asked = long(request_id=str(request_id), width=1024, height=1024, steps=50)
    call = drawn(client, asked, Route.GENERATIONS)
    await until(lambda: known(client, asked.request_id), seconds=60)
    return request_id, call


@pytest.mark.parametrize(
    ("same_process", "stall"), [(True, 1.0), (False, 600.0)], ids=["stalled", "replaced"]
)
async def test_a_running_call_is_waited_for_until_it_stalls_or_its_process_was_replaced(
    client: XinferenceClient, same_process: bool, stall: float
) -> None:
    request_id, call = await a_long_call(client)
    (model,) = await served_models(client)
    identity = model.identity if same_process else "a process before this one"

    async with asyncio.timeout(60):
        await end_abandoned_call(client, abandoned(request_id, identity=identity, stall=stall))

    assert not call.done()
    assert await client.progress(str(request_id)) == 0.0
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)


@pytest.mark.parametrize("sent", [True, False], ids=["forgotten", "never sent"])
async def test_an_unknown_call_is_over(client: XinferenceClient, sent: bool) -> None:
    slot = abandoned(uuid.uuid4() if sent else None, identity="", stall=600.0)

    async with asyncio.timeout(60):
        await end_abandoned_call(client, slot)


async def test_a_call_is_over_once_its_server_is_gone(unused_tcp_port: int) -> None:
    """Its tasks go to another server, long before the stall limit."""
    client = XinferenceClient(base_url=f"http://127.0.0.1:{unused_tcp_port}")

    async with asyncio.timeout(60):
        await end_abandoned_call(client, abandoned(uuid.uuid4(), identity="it", stall=600.0))

    await client.aclose()


async def test_a_call_of_a_server_without_answers_is_waited_for(unused_tcp_port: int) -> None:
    """It may still draw: the stall limit decides."""

    async def drop(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    dropping = await asyncio.start_server(drop, "127.0.0.1", unused_tcp_port)
    client = XinferenceClient(base_url=f"http://127.0.0.1:{unused_tcp_port}")
    ending = asyncio.create_task(
        end_abandoned_call(client, abandoned(uuid.uuid4(), identity="it", stall=600.0))
    )

    _done, waiting = await asyncio.wait({ending}, timeout=GONE_AFTER + 2)

    ending.cancel()
    await asyncio.gather(ending, return_exceptions=True)
    dropping.close()
    await client.aclose()
    assert waiting
