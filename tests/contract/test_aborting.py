"""The effect of an abort on its call and on others."""

from __future__ import annotations

import asyncio
from time import monotonic

import pytest

from generation.choices import Route
from generation.exceptions import XinferenceAborted, XinferenceError, XinferenceFailed
from tests.contract.demo_process import MODEL
from tests.contract.draw_requests import drawn, known, long, moving, small, until


async def test_a_running_call_stops_within_a_step_or_two_and_the_next_is_unharmed(client):
    healthy = await drawn(client, small())
    asked = long(steps=60)
    call = drawn(client, asked)
    await until(lambda: moving(client, asked.request_id))

    began = monotonic()
    done = await client.abort(model=MODEL, request_id=asked.request_id)
    with pytest.raises(XinferenceAborted):
        await call

    # sixty steps take many times longer on every server
    assert done
    assert monotonic() - began < 4
    assert await drawn(client, small()) == healthy


async def test_a_waiting_call_is_aborted_alone(client):
    first, second = long(steps=10), long()
    ahead = drawn(client, first)
    await until(lambda: moving(client, first.request_id))
    behind = drawn(client, second)
    await until(lambda: known(client, second.request_id))

    assert await client.abort(model=MODEL, request_id=second.request_id)

    with pytest.raises(XinferenceAborted):
        await behind
    assert not ahead.done()
    assert await ahead


async def test_aborting_twice_or_too_late_does_nothing(client):
    asked, over = long(), small()
    await drawn(client, over)
    call = drawn(client, asked)
    await until(lambda: moving(client, asked.request_id))

    answers = [
        await client.abort(model=MODEL, request_id=each)
        for each in (asked.request_id, asked.request_id, over.request_id)
    ]

    assert answers == [True, False, False]
    await asyncio.gather(call, return_exceptions=True)


async def test_an_abort_that_overtakes_its_call_refuses_it(client):
    asked = small()

    early = await client.abort(model=MODEL, request_id=asked.request_id)

    assert early is False
    with pytest.raises(XinferenceAborted, match="has been aborted"):
        await drawn(client, asked)


async def test_nothing_is_aborted_on_a_model_that_does_not_exist(client):
    assert await client.abort(model="nobody", request_id=small().request_id) is False


async def test_on_the_other_route_an_abort_breaks_the_next_call_until_the_work_is_over(client):
    asked = long()
    call = drawn(client, asked, Route.GENERATIONS)
    await until(lambda: moving(client, asked.request_id))

    assert await client.abort(model=MODEL, request_id=asked.request_id)
    with pytest.raises(XinferenceAborted):
        await call

    with pytest.raises(XinferenceFailed):
        await drawn(client, long(steps=12), Route.GENERATIONS)

    async def works_again() -> bool:
        try:
            return bool(await drawn(client, small()))
        except XinferenceError:
            return False

    await until(works_again, seconds=40)
