"""Scripted faults of the demo: what each does, which calls it takes, and which are refused."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from demo_xinference.app import create_app
from demo_xinference.faults import FaultError
from generation.exceptions import XinferenceAborted, XinferenceFailed
from tests.contract.conftest import Demo
from tests.contract.demo_process import MODEL
from tests.contract.draw_requests import drawn, small, until


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
