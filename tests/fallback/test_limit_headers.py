"""Limits over HTTP: status and headers of refusals, and polls."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from typing import Any

import pytest
from pytest_django import Settings

from generation.models import GenerationTask
from tests.fallback.http_clients import HttpClient

pytestmark = pytest.mark.usefixtures("model")


async def generate(person: HttpClient, **fields: Any) -> Any:
    return await person.post(json.dumps({"action": "generate", "prompt": "LiuJuan", **fields}))


async def test_a_refusal_has_its_status_data_and_headers(
    person: HttpClient, settings: Settings, now: datetime
) -> None:
    settings.LIMIT_PICTURES_PER_DAY, settings.LIMIT_UNFINISHED = 3, 0

    taken = await generate(person, n=2)
    refused = await generate(person, n=2, request_key=str(uuid.uuid4()))

    assert taken.status_code == 200
    assert taken["RateLimit-Policy"] == '"pictures";q=3;w=86400'
    left, _comma, seconds = taken["RateLimit"].rpartition(";t=")
    assert left == '"pictures";r=1'
    assert 0 < int(seconds) <= 86_400
    assert "Retry-After" not in taken

    assert refused.status_code == 429
    assert refused["RateLimit-Policy"] == '"pictures";q=3;w=86400'
    assert refused["RateLimit"].startswith('"pictures";r=1;t=')
    assert 0 < int(refused["Retry-After"]) <= 86_400
    assert refused["Cache-Control"] == "no-store"
    (frame,) = json.loads(refused.content)["frames"]
    assert (frame["type"], frame["code"]) == ("error", "limit_reached")
    renews_at = frame["data"].pop("renews_at")
    assert renews_at > now.timestamp()
    assert frame["data"] == {"kind": "pictures", "limit": 3, "left": 1}
    assert await GenerationTask.objects.acount() == 1


async def test_unfinished_tasks_do_not_renew_with_time(
    person: HttpClient, settings: Settings
) -> None:
    settings.LIMIT_UNFINISHED = 1

    assert (await generate(person))["RateLimit"] == '"unfinished";r=0'
    refused = await generate(person)

    assert refused.status_code == 429
    assert refused["RateLimit-Policy"] == '"unfinished";q=1'
    assert "Retry-After" not in refused
    (frame,) = json.loads(refused.content)["frames"]
    assert frame["code"] == "too_many_waiting"
    assert frame["data"] == {"kind": "unfinished", "limit": 1, "left": 0, "renews_at": None}


async def test_without_limits_there_are_no_headers(person: HttpClient, settings: Settings) -> None:
    settings.LIMIT_UNFINISHED = 0

    response = await generate(person)

    assert "RateLimit" not in response
    assert "RateLimit-Policy" not in response


async def test_a_poll_says_what_is_left(person: HttpClient, settings: Settings) -> None:
    settings.LIMIT_PICTURES_PER_DAY = 20
    await generate(person, n=3)

    frames = await person.poll()

    (limits,) = [frame["limits"] for frame in frames if frame["type"] == "limits"]
    assert {kind: (each["limit"], each["left"]) for kind, each in limits.items()} == {
        "pictures": (20, 17)
    }
