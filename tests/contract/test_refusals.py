"""Every refusal or failure of the server becomes one error of our tree."""

from __future__ import annotations

import asyncio

import pytest

from generation.choices import Route
from generation.error_codes import ErrorCode
from generation.exceptions import (
    PictureError,
    XinferenceAborted,
    XinferenceBusy,
    XinferenceDropped,
    XinferenceError,
    XinferenceFailed,
    XinferenceKeyRefused,
    XinferenceRefused,
    XinferenceUnreachable,
)
from generation.xinference import XinferenceClient
from tests.contract.conftest import open_client
from tests.contract.demo_process import DemoProcess
from tests.contract.draw_requests import CALLS, drawn, known, long, moving, small, until
from tests.contract.served_models import served_models

KEY = "xf-the-right-key"
WRONG = "xf-a-wrong-key"


@pytest.mark.parametrize(
    ("status", "detail", "kind", "code"),
    [
        (401, "Could not validate credentials", XinferenceRefused, ErrorCode.MODEL_FORBIDDEN),
        (403, "no access to model", XinferenceRefused, ErrorCode.MODEL_FORBIDDEN),
        (404, "Model not found", XinferenceRefused, ErrorCode.MODEL_NOT_FOUND),
        (400, "divisible by 16", XinferenceRefused, ErrorCode.SIZE_REFUSED),
        (400, "Invalid prompt", XinferenceRefused, ErrorCode.PROMPT_REFUSED),
        (500, "Height must be divisible by 16", XinferenceRefused, ErrorCode.SIZE_REFUSED),
        (403, "against our content policy", XinferenceRefused, ErrorCode.PROMPT_REFUSED),
        (422, "1 validation error", XinferenceRefused, ErrorCode.REQUEST_REFUSED),
        (409, "The request has been cancelled: 1", XinferenceAborted, ErrorCode.CALL_ABORTED),
        (500, "[pid=1] The request has been aborted: 1", XinferenceAborted, ErrorCode.CALL_ABORTED),
        (429, "Rate limit reached for the model", XinferenceBusy, ErrorCode.MODEL_BUSY),
        (429, "Too many failed attempts.", XinferenceRefused, ErrorCode.MODEL_FORBIDDEN),
        (503, "Model is loading", XinferenceBusy, ErrorCode.MODEL_LOADING),
        (500, "CUDA out of memory", XinferenceFailed, ErrorCode.OUT_OF_MEMORY),
        (500, "index 13 is out of bounds", XinferenceFailed, ErrorCode.MODEL_ERROR),
        (502, "Bad Gateway", XinferenceDropped, ErrorCode.MODEL_ERROR),
        (504, "Gateway Time-out", XinferenceDropped, ErrorCode.MODEL_ERROR),
    ],
)
async def test_a_status_has_one_meaning(demo, status, detail, kind, code):
    _, client = demo(faults=[{"do": "status", "status": status, "detail": detail}])

    with pytest.raises(XinferenceError) as caught:
        await drawn(client, small())

    assert type(caught.value) is kind
    assert caught.value.code == code
    assert detail in caught.value.detail


@pytest.mark.parametrize(("sent", "expected"), [(7, 7.0), (None, None)])
async def test_a_busy_server_has_a_retry_time(demo, sent, expected):
    _, client = demo(faults=[{"do": "status", "status": 503, "retry_after": sent}])

    with pytest.raises(XinferenceBusy) as caught:
        await drawn(client, small())

    assert caught.value.retry_after == expected


async def test_a_full_queue_is_a_busy_model(demo):
    _, client = demo(request_limits=1)
    first, second = long(steps=6), small()
    ahead = drawn(client, first)
    await until(lambda: known(client, first.request_id))

    with pytest.raises(XinferenceBusy, match="Rate limit") as caught:
        await drawn(client, second)

    assert caught.value.code == ErrorCode.MODEL_BUSY
    assert await client.progress(second.request_id) is None
    assert await ahead


async def test_a_loading_model_draws_once_it_is_ready(demo):
    _, client = demo(faults=[{"do": "loading", "seconds": 0.6}])

    (loading,) = await served_models(client)
    with pytest.raises(XinferenceBusy) as caught:
        await drawn(client, small())
    await asyncio.sleep(0.7)
    (ready,) = await served_models(client)

    assert (loading.ready, loading.loading) == (False, True)
    assert (caught.value.code, caught.value.retry_after) == (ErrorCode.MODEL_LOADING, 30.0)
    assert (ready.ready, ready.loading) == (True, False)
    assert await drawn(client, small())


async def test_the_right_key_opens_everything_and_appears_nowhere(demo):
    _, client = demo(api_key=KEY, key=KEY)

    assert await served_models(client)
    assert await drawn(client, small())
    assert KEY not in repr(client)


async def test_a_wrong_key_is_refused_by_every_call_and_never_repeated(demo):
    _, client = demo(
        api_key=KEY,
        key=WRONG,
        faults=[{"do": "status", "on": "models", "detail": f"key {WRONG} is odd"}],
    )

    for call in CALLS.values():
        with pytest.raises(XinferenceKeyRefused) as caught:
            await call(client)
        assert WRONG not in str(caught.value) + repr(caught.value)


async def test_a_server_that_repeats_our_key_is_not_quoted(demo):
    fault = {"do": "status", "detail": f"the key {KEY} has no credit"}
    _, client = demo(api_key=KEY, key=KEY, faults=[fault])

    with pytest.raises(XinferenceFailed) as caught:
        await drawn(client, small())

    assert KEY not in str(caught.value)


async def test_watching_ends_by_itself_when_the_key_is_refused(demo):
    _, client = demo(api_key=KEY, key=WRONG)

    assert [fraction async for fraction in client.watch("1")] == []


async def test_ten_wrong_keys_ban_the_address_and_the_good_key_with_it(demo):
    app, burglar = demo(api_key=KEY, key=WRONG)
    owner = open_client(app, KEY)
    # the first one is tried on the lists too, so these are ten tries
    for _ in range(9):
        with pytest.raises(XinferenceKeyRefused, match="401"):
            await burglar.progress("1")

    with pytest.raises(XinferenceKeyRefused, match="429"):
        await served_models(owner)

    await owner.aclose()


@pytest.mark.parametrize("kind", ["not_json", "empty"])
@pytest.mark.parametrize("route", list(Route))
async def test_an_answer_without_a_picture_is_a_bad_picture(demo, kind, route):
    _, client = demo(faults=[{"do": kind}])

    with pytest.raises(PictureError):
        await drawn(client, small(), route)


@pytest.mark.parametrize("step", [0, 2])
async def test_a_connection_lost_under_way_is_a_failure_of_the_model(demo, tmp_path, step):
    fault = {"do": "drop", "step": step}
    faults = tmp_path / "faults.json"
    faults.write_text(f'[{{"do": "drop", "step": {step}}}]')
    process = DemoProcess("--speed", "50", "--faults", str(faults))
    _, near = demo(faults=[fault])
    far = XinferenceClient(base_url=process.url)

    try:
        for client in (near, far):
            with pytest.raises(XinferenceFailed):
                await drawn(client, small())
    finally:
        await far.aclose()
        process.stop()


async def test_polls_that_fail_are_left_out_of_the_watching(demo):
    _, client = demo(faults=[{"do": "status", "on": "progress", "times": 3}])
    asked = long(steps=12)
    call = drawn(client, asked)

    async for fraction in client.watch(asked.request_id):
        if fraction == 1:
            break

    assert await call


async def test_an_ended_watch_is_not_counted(demo):
    _, refused = demo(api_key=KEY, key=WRONG)
    assert [fraction async for fraction in refused.watch("refused")] == []
    assert refused.poller.polled_calls == 0

    _, client = demo()
    watching = asyncio.create_task(anext(client.watch("nobody knows it")))
    await asyncio.sleep(0)
    assert client.poller.polled_calls == 1
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)

    assert client.poller.polled_calls == 0


async def test_frozen_progress_does_not_end_a_call(demo):
    _, client = demo(faults=[{"do": "freeze_progress", "step": 2}])
    asked = small(steps=4)

    assert await drawn(client, asked)
    assert await client.progress(asked.request_id) == 0.5


async def test_an_address_without_a_server_is_unreachable():
    client = XinferenceClient(base_url="http://127.0.0.1:9")

    for call in CALLS.values():
        with pytest.raises(XinferenceUnreachable):
            await call(client)
    await client.aclose()


async def test_a_server_that_is_killed_under_a_call_is_a_failure_then_unreachable():
    process = DemoProcess("--speed", "50")
    client = XinferenceClient(base_url=process.url)
    asked = long()
    call = drawn(client, asked)
    await until(lambda: moving(client, asked.request_id))

    process.close()

    with pytest.raises(XinferenceFailed):
        await call
    with pytest.raises(XinferenceUnreachable):
        await client.progress(asked.request_id)
    await client.aclose()
