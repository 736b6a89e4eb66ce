"""Limits over the API: problems, headers, what is left, and requests per minute."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from generation.choices import LimitKind
from generation.models import LimitOverride
from tests.api.api_program import Program

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_reached_limit_is_a_problem(program: Program, settings: Settings) -> None:
    settings.LIMIT_PICTURES_PER_DAY, settings.LIMIT_UNFINISHED = 3, 0

    taken = await program.post("/tasks", {"prompt": "two hills", "n": 2})
    refused = await program.post("/tasks", {"prompt": "two more", "n": 2})

    assert taken.status_code == 201
    assert taken["RateLimit-Policy"] == '"pictures";q=3;w=86400'
    assert taken["RateLimit"].startswith('"pictures";r=1;t=')
    assert refused.status_code == 429
    assert refused["Content-Type"] == "application/problem+json"
    assert refused["RateLimit"].startswith('"pictures";r=1;t=')
    assert 0 < int(refused["Retry-After"]) <= 86_400
    body = refused.json()
    assert body["code"] == "limit_reached"
    assert body["limit"].pop("renews_at") > timezone.now().timestamp()
    assert body["limit"] == {"kind": "pictures", "limit": 3, "left": 1}


async def test_unfinished_tasks_do_not_renew_with_time(
    program: Program, settings: Settings
) -> None:
    settings.LIMIT_UNFINISHED = 1
    await program.post("/tasks", {"prompt": "a hill"})

    refused = await program.post("/tasks", {"prompt": "another"})

    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_waiting")
    assert "Retry-After" not in refused


async def test_a_program_reads_what_is_left(program: Program, settings: Settings) -> None:
    settings.LIMIT_PICTURES_PER_DAY = 20
    await program.post("/tasks", {"prompt": "a hill", "n": 3})

    limits = (await program.get("/me")).json()["limits"]

    assert {kind: (each["limit"], each["left"]) for kind, each in limits.items()} == {
        "unfinished": (500, 499),
        "pictures": (20, 17),
    }


async def test_requests_per_minute_are_limited(program: Program, alice: User) -> None:
    await LimitOverride.objects.acreate(user=alice, kind=LimitKind.REQUESTS, value=2)
    # a minute may end between them
    answers = [await program.get("/me") for _each in range(5)]

    refused = next(each for each in answers if each.status_code == 429)
    assert [each.status_code for each in answers[:2]] == [200, 200]
    assert refused.json()["code"] == "limit_reached"
    assert refused["RateLimit-Policy"] == '"requests";q=2;w=60'
    assert refused["RateLimit"].startswith('"requests";r=0;t=')
    assert 0 < int(refused["Retry-After"]) <= 60


async def test_a_client_of_openai_is_not_to_repeat_what_a_limit_refused(
    program: Program, settings: Settings
) -> None:
    settings.LIMIT_PICTURES_PER_DAY = 1

    response = await program.post("/openai/images/generations", {"prompt": "two hills", "n": 2})

    assert response.status_code == 429
    assert response.json()["error"]["code"] == "limit_reached"
    assert response["x-should-retry"] == "false"
    assert response["RateLimit"].startswith('"pictures";r=1;t=')
    assert 0 < int(response["Retry-After"]) <= 86_400
