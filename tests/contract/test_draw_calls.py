"""Requests at every server: generate, report progress, queue."""

from __future__ import annotations

import asyncio
import base64
import io

import pytest
from PIL import Image

from generation.choices import Route
from generation.error_codes import ErrorCode
from generation.exceptions import XinferenceFailed, XinferenceRefused
from generation.xinference import XinferenceClient
from tests.contract.demo_process import MODEL
from tests.contract.draw_requests import drawn, known, long, moving, small, until
from tests.contract.served_models import served_models


async def test_the_served_model_is_ready_on_the_route_of_its_engine(client):
    (model,) = await served_models(client)

    assert model.name == MODEL
    assert model.route == Route.TXT2IMG
    assert (model.ready, model.loading, model.replicas) == (True, False, 1)
    assert model.identity


@pytest.mark.parametrize("route", list(Route))
async def test_a_picture_is_a_jpeg_of_the_size_that_was_asked_for(client, route):
    text = await drawn(client, small(width=320, height=256), route)

    with Image.open(io.BytesIO(base64.b64decode(text, validate=True))) as picture:
        picture.load()
        assert (picture.format, picture.size) == ("JPEG", (320, 256))


async def test_the_same_settings_give_the_same_bytes_on_both_routes(client):
    first = await drawn(client, small(seed=2**32 - 1))
    again = await drawn(client, small(seed=2**32 - 1))
    elsewhere = await drawn(client, small(seed=2**32 - 1), Route.GENERATIONS)
    other = await drawn(client, small(seed=8))

    assert first == again == elsewhere
    assert other != first


@pytest.mark.parametrize("prompt", ["", "猫\n\x00🎨 cat", "山" * 2000])
async def test_any_prompt_can_be_drawn(client, prompt):
    assert await drawn(client, small(prompt=prompt, steps=2, negative_prompt="雨"))


async def test_progress_is_unknown_before_the_call_and_one_after_it(client):
    asked = small()

    before = await client.progress(asked.request_id)
    await drawn(client, asked)
    after = await client.progress(asked.request_id)

    assert (before, after) == (None, 1.0)


async def test_progress_counts_the_steps_one_by_one(client):
    asked, seen = long(steps=12), set()
    call = drawn(client, asked)

    while not call.done():
        seen.add(await client.progress(asked.request_id))
        await asyncio.sleep(0.02)
    await call

    steps = {round(value * 12, 6) for value in seen - {None}}
    assert steps <= set(map(float, range(13)))
    assert len(steps) > 6


async def test_watching_gives_growing_fractions_until_it_is_stopped(client):
    asked, seen = long(steps=12), []

    call = drawn(client, asked)
    async for fraction in client.watch(asked.request_id):
        seen.append(fraction)
        if fraction == 1:
            break
    await call

    assert seen == sorted(set(seen))
    assert len(seen) > 3


async def test_a_second_call_waits_at_zero_until_the_first_is_over(client):
    first, second = long(steps=8), long(steps=4)
    ahead = drawn(client, first)
    await until(lambda: moving(client, first.request_id))
    behind = drawn(client, second)
    await until(lambda: known(client, second.request_id))

    waiting = []
    while not ahead.done():
        waiting.append(await client.progress(second.request_id))
        await asyncio.sleep(0.05)
    await asyncio.gather(ahead, behind)

    # the last poll may have been right after the first picture was sent
    assert set(waiting[:-1]) == {0.0}


async def test_a_caller_who_leaves_does_not_stop_the_work(client: XinferenceClient):
    asked = long(steps=6)
    call = drawn(client, asked)
    await until(lambda: moving(client, asked.request_id))

    call.cancel()
    await asyncio.gather(call, return_exceptions=True)

    async def is_over() -> bool:
        return await client.progress(asked.request_id) == 1.0

    await until(is_over)
    assert await drawn(client, small())


async def test_a_running_id_is_not_taken_twice(client):
    asked = long(steps=8)
    call = drawn(client, asked)
    await until(lambda: moving(client, asked.request_id))

    with pytest.raises(XinferenceFailed, match="Duplicate request id"):
        await drawn(client, asked)

    assert await call


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"width": 264}, ErrorCode.SIZE_REFUSED),
        ({"height": 264}, ErrorCode.SIZE_REFUSED),
        ({"seed": 2**70}, ErrorCode.REQUEST_REFUSED),
    ],
)
async def test_settings_that_the_model_cannot_take_are_refused_for_good(client, changes, code):
    with pytest.raises(XinferenceRefused) as caught:
        await drawn(client, small(**changes))

    assert caught.value.code == code


async def test_a_bad_size_on_the_other_route_is_refused(client):
    with pytest.raises(XinferenceRefused, match="must be divisible by 16"):
        await drawn(client, small(width=264), Route.GENERATIONS)


@pytest.mark.parametrize("route", list(Route))
async def test_an_unknown_model_is_not_found(client, route):
    for _ in range(2):
        with pytest.raises(XinferenceRefused, match="Model not found") as caught:
            await client.draw(model="nobody", route=route, request=small())

        assert caught.value.code == ErrorCode.MODEL_NOT_FOUND


async def test_progress_is_never_asked_for_with_a_foreign_path(client):
    assert await client.progress("no such id?x=1") is None
