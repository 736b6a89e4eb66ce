"""Clients of OpenAI's image API."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.test import AsyncClient
from PIL import Image
from pytest_django import Settings

from generation.api import openai_operations
from generation.api.openai_operations import TaskFailed
from generation.hub import hub
from generation.models import GenerationTask
from generation.protocol.close_codes import CloseCode
from tests.api.api_program import Program
from tests.socket.sockets import PATIENCE
from tests.worker.demo_worker import SMALL, StartWorker

pytestmark = pytest.mark.django_db(transaction=True)

URL = "http://testserver/v1/images/generations"
REFUSES = {"do": "status", "status": 400, "detail": "no"}
SLOW = {"do": "slow", "seconds": 0.1}


def size_of(text: str) -> tuple[int, int]:
    with Image.open(io.BytesIO(base64.b64decode(text, validate=True))) as picture:
        return picture.size


async def test_pictures_come_with_the_response(program: Program, start_worker: StartWorker) -> None:
    await start_worker()
    body = {"prompt": "a hill", **SMALL, "n": 2, "quality": "hd", "user": "u", "style": "vivid"}

    response = await program.post(URL, {**body, "response_format": "b64_json"})

    assert response.status_code == 200
    assert [size_of(each["b64_json"]) for each in response.json()["data"]] == [(256, 256)] * 2
    events = await program.get(response["X-Task-Events"])
    assert events["Content-Type"].startswith("text/event-stream")


async def test_an_address_needs_no_token(program: Program, start_worker: StartWorker) -> None:
    await start_worker()

    for url in (URL, "/openai/images/generations"):
        (picture,) = (await program.post(url, {"prompt": "a hill", **SMALL})).json()["data"]
        assert list(picture) == ["url"]
        assert (await AsyncClient().get(picture["url"]))["Content-Type"].startswith("image/")


async def test_a_stream_brings_each_picture(program: Program, start_worker: StartWorker) -> None:
    await start_worker()

    response = await program.post(URL, {"prompt": "a hill", **SMALL, "n": 2, "stream": True})
    text = "".join([part.decode() async for part in response.streaming_content])

    events = [block for block in text.split("\n\n") if block.startswith("event: ")]
    assert len(events) == 2
    for block in events:
        name, data = (line.partition(": ")[2] for line in block.splitlines())
        assert name == json.loads(data)["type"] == "image_generation.completed"
        assert size_of(json.loads(data)["b64_json"]) == (256, 256)


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"prompt": ""}, "prompt_empty", "prompt"),
        ({"size": "1x1"}, "size_invalid", "size"),
        ({"n": 5}, "count_invalid", "n"),
        ({"n": "2"}, "count_invalid", "n"),
        ({"response_format": "png"}, "bad_message", "response_format"),
        ({"stream": "yes"}, "bad_message", "stream"),
        ({"stream": {}}, "bad_message", "stream"),
        ({"model": "dall-e-3"}, "model_unknown", "model"),
    ],
)
async def test_a_refusal_is_not_to_be_repeated(
    program: Program, changes: dict[str, Any], code: str, param: str
) -> None:
    response = await program.post(URL, {"prompt": "x", **changes})

    assert response.status_code == 400
    assert response["x-should-retry"] == "false"
    error = response.json()["error"]
    assert (error["code"], error["param"], error["type"]) == (code, param, "invalid_request_error")
    assert not await GenerationTask.objects.aexists()


async def test_a_repeated_request_gets_the_first_task(
    program: Program, start_worker: StartWorker
) -> None:
    await start_worker()
    body = {"prompt": "a hill", **SMALL}

    for count in ("0", "1", "2"):
        response = await program.post(URL, body, x_stainless_retry_count=count)
        assert response.status_code == 200
    assert await GenerationTask.objects.acount() == 1

    await program.post(URL, body, x_stainless_retry_count="0")
    await program.post(URL, {**body, "seed": 5}, x_stainless_retry_count="1")
    assert await GenerationTask.objects.acount() == 3


@pytest.mark.parametrize(("repetitions", "repeat"), [("0", "false"), ("1", "true")])
async def test_without_room_to_wait_nothing_is_submitted(
    program: Program, model: str, settings: Settings, repetitions: str, repeat: str
) -> None:
    settings.CONNECTIONS_PER_PERSON = 0

    response = await program.post(URL, {"prompt": "x"}, x_stainless_retry_count=repetitions)

    assert (response.status_code, response.json()["error"]["code"]) == (429, "flooding")
    assert response["x-should-retry"] == repeat
    assert response["Retry-After"]
    assert not await GenerationTask.objects.aexists()


async def test_a_client_of_a_server_that_stops_repeats_and_gets_its_task(
    program: Program, start_worker: StartWorker
) -> None:
    body = {"prompt": "a hill", **SMALL}
    posted = asyncio.create_task(program.post(URL, body))
    while not any(hub.subscriptions.values()):  # noqa: ASYNC110  the request is on its way
        await asyncio.sleep(0.01)

    await hub.close_sockets(CloseCode.LEAVING)

    response = await asyncio.wait_for(posted, PATIENCE)
    assert (response.status_code, response["x-should-retry"]) == (503, "true")
    assert response.json()["error"]["code"] == "unavailable"
    hub.leaving = False
    await start_worker()
    again = await program.post(URL, body, x_stainless_retry_count="1")
    assert again.status_code == 200
    assert await GenerationTask.objects.acount() == 1


async def test_a_response_that_may_not_be_lost_is_not_given_again(
    program: Program, start_worker: StartWorker
) -> None:
    await start_worker()
    body = {"prompt": "a hill", **SMALL}
    await program.post(URL, body)
    task = await GenerationTask.objects.aget()
    old = timedelta(minutes=15)
    await GenerationTask.objects.aupdate(
        created=task.created - old,
        claimed_at=F("claimed_at") - old,
        finished_at=F("finished_at") - old,
    )

    await program.post(URL, body, x_stainless_retry_count="2")
    assert await GenerationTask.objects.acount() == 1
    await program.post(URL, body, x_stainless_retry_count="1")
    assert await GenerationTask.objects.acount() == 2


async def test_a_task_that_fails_says_why(program: Program, start_worker: StartWorker) -> None:
    await start_worker(faults=[REFUSES])

    response = await program.post(URL, {"prompt": "x", **SMALL})

    assert response.status_code == 500
    assert response["x-should-retry"] == "false"
    assert response.json()["error"]["code"] == "request_refused"


async def test_a_stream_says_that_its_task_failed(
    program: Program, start_worker: StartWorker
) -> None:
    await start_worker(faults=[REFUSES])

    response = await program.post(URL, {"prompt": "x", **SMALL, "stream": True})
    text = "".join([part.decode() async for part in response.streaming_content])

    assert "event: error" in text
    assert "request_refused" in text


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_operations, "ANSWER_AFTER", 0.05)
    monkeypatch.setattr(openai_operations, "KEEPALIVE", 0.05)


async def test_a_slow_response_begins_with_spaces(
    soon: None, program: Program, start_worker: StartWorker
) -> None:
    await start_worker(faults=[SLOW])

    response = await program.post(URL, {"prompt": "x", **SMALL})
    text = "".join([part.decode() async for part in response.streaming_content])

    assert text.startswith(" ")
    assert json.loads(text)["data"][0]["url"]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_response_that_has_begun_needs_no_room_again(
    soon: None, program: Program, start_worker: StartWorker, settings: Settings, stream: bool
) -> None:
    await start_worker(faults=[SLOW])

    response = await program.post(URL, {"prompt": "x", **SMALL, "stream": stream})
    settings.CONNECTIONS_PER_PERSON = 0
    text = "".join([part.decode() async for part in response.streaming_content])

    assert "event: image_generation.completed" in text if stream else json.loads(text)["data"]
    assert not hub.outboxes


async def test_a_slow_task_that_fails_cuts_the_connection_and_says_why_later(
    soon: None, program: Program, start_worker: StartWorker
) -> None:
    before = {**SLOW, "match": {"prompt_contains": "before"}}
    await start_worker(faults=[before, {**REFUSES, "match": {"prompt_contains": "behind"}}])
    await program.submit("before it", **SMALL)
    body = {"prompt": "behind it", **SMALL}

    response = await program.post(URL, body)
    with pytest.raises(TaskFailed):
        async for _part in response.streaming_content:
            pass

    again = await program.post(URL, body, x_stainless_retry_count="1")
    assert again.status_code == 500
    assert await GenerationTask.objects.acount() == 2


@pytest.mark.parametrize("stream", [False, True])
async def test_responses_say_what_is_left(
    program: Program, start_worker: StartWorker, settings: Settings, stream: bool
) -> None:
    settings.LIMIT_PICTURES_PER_DAY, settings.LIMIT_UNFINISHED = 3, 0
    await start_worker()

    response = await program.post(URL, {"prompt": "x", **SMALL, "stream": stream})

    assert response["RateLimit-Policy"] == '"pictures";q=3;w=86400'
    assert response["RateLimit"].startswith('"pictures";r=2;t=')


async def test_models_are_listed(program: Program, model: str) -> None:
    listed = (await program.get("http://testserver/v1/models")).json()

    assert listed["object"] == "list"
    assert [each["id"] for each in listed["data"]] == [model]
