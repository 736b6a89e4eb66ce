"""The demo's painting processes, replicas, engines and progress."""

from __future__ import annotations

import asyncio
import socket

import pytest

from demo_xinference.app import create_app
from demo_xinference.painter import Inbox
from demo_xinference.progress import Progress
from generation.choices import Route
from generation.exceptions import XinferenceFailed
from generation.xinference import XinferenceClient
from tests.contract.conftest import Demo
from tests.contract.demo_process import MODEL, DemoProcess, is_painter
from tests.contract.draw_requests import drawn, known, long, moving, small, until
from tests.contract.served_models import served_models


async def test_nothing_runs_before_the_first_picture_is_asked_for():
    app = create_app()

    before = app.model.replicas[0].painter.pid
    await app.aclose()

    assert before is None


async def test_closing_ends_the_painting_process(demo):
    app, client = demo()
    await drawn(client, small())
    pid = app.model.replicas[0].painter.pid
    assert is_painter(pid)

    await app.aclose()

    assert not is_painter(pid)


async def test_a_killed_painter_is_a_killed_model(demo: Demo):
    app, client = demo()
    asked, waiting = long(), long()
    call = drawn(client, asked)
    await until(lambda: moving(client, asked.request_id))
    behind = drawn(client, waiting)
    await until(lambda: known(client, waiting.request_id))
    (before,) = await served_models(client)

    app.model.replicas[0].painter.kill()

    with pytest.raises(XinferenceFailed, match="closed: 0 bytes read"):
        await call
    with pytest.raises(XinferenceFailed):
        await behind
    (meanwhile,) = await served_models(client)
    assert (meanwhile.ready, meanwhile.loading) == (False, False)
    with pytest.raises(XinferenceFailed, match="stopping state"):
        await drawn(client, small())

    async def is_back() -> bool:
        return (await served_models(client))[0].ready

    frozen = await client.progress(asked.request_id)
    await until(is_back)
    (after,) = await served_models(client)
    assert after.identity != before.identity
    assert await drawn(client, small())
    assert frozen is not None
    assert 0 < frozen < 1
    assert await client.progress(asked.request_id) == frozen


def test_an_ended_job_is_forgotten() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        inbox = Inbox(ours)
        inbox.take({"stop": 1})
        inbox.take({"resume": 1})
        inbox.take({"stop": 2})

        inbox.end(1)
        inbox.take({"resume": 1})
        inbox.take({"stop": 1})

    assert (inbox.stopped, inbox.resumed) == ({2}, {})


async def test_replicas_draw_side_by_side(demo):
    _, client = demo(replicas=2)
    first, second = long(), long(seed=8)
    calls = [drawn(client, first), drawn(client, second)]

    await until(lambda: moving(client, first.request_id))
    await until(lambda: moving(client, second.request_id))
    (model,) = await served_models(client)

    assert not any(call.done() for call in calls)
    assert model.replicas == 2
    assert len(model.identity.split(",")) == 2
    for each in (first, second):
        await client.abort(model=MODEL, request_id=each.request_id)
    await asyncio.gather(*calls, return_exceptions=True)


async def test_another_engine_has_one_route_and_no_steps(demo):
    _, client = demo(engine="vllm")
    (model,) = await served_models(client)
    asked = small()

    with pytest.raises(XinferenceFailed, match="not for txt2img"):
        await drawn(client, small())
    call = drawn(client, asked, Route.GENERATIONS)
    seen = set()
    while not call.done():
        seen.add(await client.progress(asked.request_id))
        await asyncio.sleep(0.01)
    await call

    assert model.route == Route.GENERATIONS
    assert seen <= {None, 0.0, 1.0}


def test_changes_below_a_twentieth_are_not_reported():
    record = Progress().begin("1")

    reported = []
    for step in range(1, 31):
        record.set(step / 30, record.began + step)
        reported.append(round(record.progress * 30))

    assert sorted(set(reported)) == [0, *range(2, 31, 2)]


def test_the_remaining_time_is_known_once_measured():
    record = Progress().begin("1")

    record.set(0.25, record.began + 1)
    early = record.snapshot(record.began + 1)
    record.set(0.5, record.began + 2)

    assert early == {"progress": 0.25, "elapsed_seconds": 1, "eta_seconds": None}
    assert record.snapshot(record.began + 2)["eta_seconds"] == pytest.approx(2)


async def test_a_server_leaves_no_process_behind_whether_it_is_asked_or_killed():
    for end in (DemoProcess.stop, DemoProcess.close):
        process = DemoProcess("--speed", "50")
        client = XinferenceClient(base_url=process.url)
        asked = long()
        call = drawn(client, asked)
        await until(lambda: moving(client, asked.request_id))  # noqa: B023
        painters = process.painters()
        assert len(painters) == 1

        await asyncio.to_thread(end, process)

        await asyncio.gather(call, return_exceptions=True)
        await client.aclose()

        async def is_gone() -> bool:
            return not any(map(is_painter, painters))  # noqa: B023

        await until(is_gone, seconds=5)
