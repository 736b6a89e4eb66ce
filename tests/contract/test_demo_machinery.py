"""Behaviour of the demo alone: processes, replicas, scripted faults."""

from __future__ import annotations

import asyncio
import math
import socket
from typing import Any

import pytest

from demo_xinference import FaultError, create_app
from demo_xinference.painter import Inbox
from demo_xinference.progress import Progress
from generation.choices import Route
from generation.exceptions import XinferenceAborted, XinferenceFailed
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


async def test_a_scripted_death_strikes_after_its_step(demo):
    _, client = demo(faults=[{"do": "die", "step": 2, "match": {"call": 1}}])
    asked = small(steps=8)

    with pytest.raises(XinferenceFailed):
        await drawn(client, asked)

    assert await client.progress(asked.request_id) == 0.25


async def test_a_stalled_painter_continues(demo):
    _, client = demo(faults=[{"do": "stall", "step": 2, "seconds": 1.0, "times": 1}])
    clock = asyncio.get_running_loop().time
    began = clock()

    assert await drawn(client, small(steps=4))

    assert clock() - began >= 1.0


async def test_a_held_call_ends_by_an_abort_alone(demo):
    _, client = demo(faults=[{"do": "hold", "step": 2, "seconds": 600, "match": {"steps": 8}}])
    asked = small(steps=8)
    call = drawn(client, asked)

    async def is_held() -> bool:
        return bool(await client.progress(asked.request_id) == 0.25)

    await until(is_held)
    assert not call.done()
    await client.abort(model=MODEL, request_id=asked.request_id)
    with pytest.raises(XinferenceAborted):
        await call
    assert await drawn(client, small(steps=4))


async def test_a_slow_call_goes_on_after_each_step_and_ends_by_an_abort(demo: Demo) -> None:
    slow = [
        {"do": "slow", "seconds": 0.2, "match": {"steps": 4}},
        {"do": "slow", "seconds": 600, "match": {"steps": 8}},
    ]
    _, client = demo(faults=slow)
    clock = asyncio.get_running_loop().time
    began = clock()
    assert await drawn(client, small(steps=4))
    assert clock() - began >= 4 * 0.2

    asked = small(steps=8)
    call = drawn(client, asked)

    async def has_begun() -> bool:
        return await client.progress(asked.request_id) == 0.125

    await until(has_begun)
    await client.abort(model=MODEL, request_id=asked.request_id)
    with pytest.raises(XinferenceAborted):
        await call


async def test_an_abort_ends_a_hold_and_no_stall(demo: Demo) -> None:
    pauses = [
        {"do": "hold", "step": 2, "seconds": 600},
        {"do": "stall", "step": 2, "seconds": 2},
    ]
    _, client = demo(faults=pauses)
    asked = small(steps=8)
    clock = asyncio.get_running_loop().time
    call = drawn(client, asked)

    async def is_paused() -> bool:
        return await client.progress(asked.request_id) == 0.25

    await until(is_paused)
    aborted = clock()
    await client.abort(model=MODEL, request_id=asked.request_id)
    with pytest.raises(XinferenceAborted):
        await call

    assert clock() - aborted > 0.75


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


async def test_a_delayed_answer_leaves_progress_at_one(demo: Demo):
    _, client = demo(faults=[{"do": "delay_decode", "seconds": 0.6}])
    asked = small()
    call = drawn(client, asked)

    async def is_decoding() -> bool:
        return await client.progress(asked.request_id) == 1.0

    await until(is_decoding)
    assert not call.done()
    assert await client.abort(model=MODEL, request_id=asked.request_id)
    with pytest.raises(XinferenceAborted):
        await call


async def test_faults_choose_their_calls_and_may_run_out(demo):
    _, client = demo(
        faults=[
            {"do": "status", "status": 500, "match": {"prompt_contains": "坏"}, "times": 1},
            {"do": "status", "status": 502, "match": {"call": 3}},
        ]
    )

    with pytest.raises(XinferenceFailed, match="500"):
        await drawn(client, small(prompt="坏的"))
    assert await drawn(client, small(prompt="坏的"))
    with pytest.raises(XinferenceFailed, match="502"):
        await drawn(client, small())
    assert await drawn(client, small())


@pytest.mark.parametrize(
    "fault", [{"do": "dance"}, {"do": "drop", "on": "the floor"}, {"do": "drop", "stpe": 1}, {}]
)
def test_an_unknown_fault_is_refused(fault):
    with pytest.raises(FaultError):
        create_app(faults=[fault])


@pytest.mark.parametrize("fault", [1, "drop", None, [], {"do": "drop", "match": 5}])
def test_a_fault_and_its_match_must_be_objects(fault: Any) -> None:
    with pytest.raises(FaultError, match="must be objects"):
        create_app(faults=[fault])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("seconds", value) for value in ("x", None, True, -1, math.nan, math.inf, 10**400)),
        *(("step", value) for value in ("y", 1.5, -1)),
        *(("status", value) for value in ("500", 0, 1000)),
        *(("detail", 5), ("do", []), ("on", {}), ("kind", []), ("times", "1"), ("retry_after", -1)),
    ],
)
def test_a_fault_with_an_unusable_value_is_refused(key: str, value: Any) -> None:
    with pytest.raises(FaultError, match=f"^{key} in a fault must be"):
        create_app(faults=[{"do": "stall", key: value}])


@pytest.mark.parametrize(("key", "value"), [("call", "1"), ("steps", 4.5), ("prompt_contains", 1)])
def test_a_fault_with_an_unusable_match_is_refused(key: str, value: Any) -> None:
    with pytest.raises(FaultError, match=f"^{key} in a fault must be"):
        create_app(faults=[{"do": "stall", "match": {key: value}}])


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
