"""A worker that calls two model servers, and changes of an operator while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from channels.db import database_sync_to_async

from demo_xinference.app import DemoXinference, create_app
from demo_xinference.faults import parse
from generation import services
from generation.clock import clock
from generation.models import ModelInstance, ModelServer, ModelSlot, ModelState
from generation.worker import WorkerRunner
from generation.xinference import XinferenceClient
from tests.contract.draw_requests import until
from tests.demo_faults import SLOW, SOME_SECONDS
from tests.socket.sockets import Page
from tests.worker.demo_worker import SMALL, SPEED, ending, probe

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("running_hub")]


class Site:
    """One worker and a demo model behind each row of a server."""

    def __init__(self) -> None:
        self.demos: dict[str, DemoXinference] = {}
        self.runner = WorkerRunner(self.connect, version="test")

    def connect(self, server: ModelServer) -> XinferenceClient:
        demo = self.demos.setdefault(server.name, create_app(speed=SPEED))
        transport = httpx.ASGITransport(demo, raise_app_exceptions=False)
        return XinferenceClient(base_url="http://demo", transport=transport)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    await ModelServer.objects.acreate(name="second", url="http://second")
    await site.runner.start()
    await probe(site.runner)
    yield site
    await site.runner.drain()
    for demo in site.demos.values():
        await demo.aclose()


async def test_tasks_are_drawn_on_both(page: Page, site: Site) -> None:
    tasks = [await page.generate(f"{k}", **SMALL) for k in range(4)]
    ends = [await ending(page, task_id) for task_id in tasks]

    assert {end["type"] for end in ends} == {"result"}
    assert (await ModelState.objects.aget()).slots == 2
    # a run notes its pace after the page has the result
    await until(lambda: have_paces(site), seconds=60)


async def have_paces(site: Site) -> bool:
    """Whether both servers have a measured pace, after a probe that records it."""
    await probe(site.runner)
    return all([each.paces async for each in ModelInstance.objects.all()])


async def test_a_drained_server_gets_nothing_more_and_a_new_one_is_found(
    page: Page, site: Site
) -> None:
    await ModelServer.objects.exclude(name="second").aupdate(draining=True)
    await ModelServer.objects.acreate(name="third", url="http://third")
    await probe(site.runner)

    tasks = [await page.generate(f"{k}", **SMALL) for k in range(3)]
    for task_id in tasks:
        assert (await ending(page, task_id))["type"] == "result"

    assert set(site.demos) == {"default", "second", "third"}
    drained = await ModelInstance.objects.aget(server__name="default")
    assert drained.ready
    assert not drained.paces


async def test_a_deleted_server_is_forgotten(site: Site) -> None:
    second = await ModelServer.objects.aget(name="second")
    await database_sync_to_async(services.delete_server)(server_id=second.pk, now=clock.now())
    await probe(site.runner)

    assert second.pk not in site.runner.servers.links
    assert (await ModelState.objects.aget()).slots == 1


async def test_a_dead_server_costs_the_other_nothing(page: Page, site: Site) -> None:
    async def refuse(*_arguments: object) -> None:
        raise ConnectionError("it is away")

    await ModelServer.objects.filter(name="second").aupdate(weight=9)
    link = next(each for each in site.runner.servers.links.values() if each.name == "second")
    link.client._connections._calls._transport.app = refuse  # type: ignore[attr-defined]
    tasks = [await page.generate(f"{k}", **SMALL) for k in range(3)]
    for task_id in tasks:
        assert (await ending(page, task_id))["type"] == "result"

    assert await until_not_ready("second")


@pytest.mark.parametrize("status", [403, 404])
async def test_a_server_that_refuses_the_model_costs_no_task(
    page: Page, site: Site, status: int
) -> None:
    """Also if it has no pace yet, so that a claim prefers it."""
    refusal = {"do": "status", "status": status, "detail": "not for this key"}
    site.demos["second"].faults.append(parse(refusal))
    await ModelServer.objects.filter(name="second").aupdate(weight=9)
    await ModelInstance.objects.aupdate(identity_since=clock.now() - timedelta(hours=1))

    tasks = [await page.generate(f"{k}", **SMALL) for k in range(3)]
    ends = [await ending(page, task_id) for task_id in tasks]

    assert {end["type"] for end in ends} == {"result"}
    assert (await ModelServer.objects.aget(name="second")).rested_until is not None


async def test_a_changed_server_keeps_the_clients_of_its_calls(page: Page, site: Site) -> None:
    site.demos["second"].faults.append(parse(SLOW))
    site.demos["default"].faults.append(parse(SLOW))
    tasks = [await page.generate(f"{k}", **SOME_SECONDS) for k in range(2)]
    await until(lambda: are_running(site), seconds=60)

    await ModelServer.objects.aupdate(ca_file="/another.pem")
    for _each in range(3):
        await site.runner.servers.refresh()

    assert len(site.runner.servers.retired) == 2
    ends = [await ending(page, task_id) for task_id in tasks]
    assert [(end["type"], end["attempt"]) for end in ends] == [("result", 1)] * 2
    # a run goes on to its thumbnail
    await until(lambda: are_closed(site), seconds=60)


async def are_closed(site: Site) -> bool:
    await site.runner.servers.refresh()
    return site.runner.servers.retired == []


async def are_running(site: Site) -> bool:
    return len(site.runner.runs) == 2 and all(
        [each.request_id async for each in ModelSlot.objects.all()]
    )


async def until_not_ready(name: str) -> bool:
    async def gone() -> bool:
        return not (await ModelInstance.objects.aget(server__name=name)).ready

    await until(gone, seconds=60)
    return True
