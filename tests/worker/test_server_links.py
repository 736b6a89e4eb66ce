"""Which servers a worker asks: those that are away less and less often, unless one is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from generation import services
from generation.models import ModelServer
from generation.worker.figures import note_memory
from generation.worker.server_links import ServerLinks
from generation.xinference import XinferenceClient
from tests.conftest import MODEL
from tests.contract.odd_server import OddServer, response, serving
from tests.factories import observed, submit

# `running_hub` gives the connections back
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("running_hub")]

NOTHING_LISTENS = "http://127.0.0.1:9"
A_DAY = 86_400.0


@pytest.fixture
async def links() -> AsyncIterator[ServerLinks]:
    """Two servers that have been away for a day."""
    links = ServerLinks(lambda _server: XinferenceClient(base_url=NOTHING_LISTENS))
    for name in ("first", "second"):
        await ModelServer.objects.acreate(name=name, url=NOTHING_LISTENS)
    await links.refresh()
    await links.probe_all()
    for link in links.links.values():
        assert link.probe.away_since is not None
        link.probe.away_since -= A_DAY
    await links.probe_all()
    await links.refresh()
    yield links
    await links.aclose()


def due(links: ServerLinks) -> list[str]:
    return [link.name for link in links.links.values() if links.is_due(link)]


async def test_servers_that_are_away_are_asked_less_often(links: ServerLinks) -> None:
    assert due(links) == []


async def test_the_memory_of_each_server_is_noted(now: datetime) -> None:
    """Of one that cannot be asked the last figures stay, and become old."""
    before = await ModelServer.objects.acreate(
        name="away", url=NOTHING_LISTENS, memory=1, memory_at=now
    )
    links = ServerLinks()
    async with serving(OddServer()) as first, serving(OddServer()) as second:
        for number, server in enumerate((first, second), 2):
            text = f"xinference:worker_memory_used_bytes {number}e9\n".encode()
            server.answers["metrics"] = response(text)
            await ModelServer.objects.acreate(name=f"gpu{number}", url=server.url)
        await links.refresh()
        await note_memory(links.askable_clients)
        await links.aclose()

    found = {row.name: row async for row in ModelServer.objects.all()}
    assert {name: row.memory for name, row in found.items()} == {
        "away": 1,
        "gpu2": 2_000_000_000,
        "gpu3": 3_000_000_000,
    }
    assert found["away"].memory_at == before.memory_at


async def test_an_operator_has_one_asked_now(links: ServerLinks) -> None:
    second = await ModelServer.objects.aget(name="second")
    assert await sync_to_async(services.check_now)(server_ids=[second.pk]) == 1

    await links.refresh()

    assert due(links) == ["second"]


async def test_a_task_that_waits_for_its_model_has_all_asked(
    links: ServerLinks, alice: User, now: datetime
) -> None:
    second = await ModelServer.objects.aget(name="second")
    record = sync_to_async(services.record_models)
    await record(server_id=second.pk, seen=[observed(MODEL, 1)], now=now)
    await sync_to_async(submit)(alice, now)
    await links.refresh()
    assert due(links) == []

    await record(server_id=second.pk, seen=[], now=now)
    await links.refresh()

    assert due(links) == ["first", "second"]
