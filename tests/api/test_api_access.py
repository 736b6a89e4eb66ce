"""Access to the API, and what its errors reveal."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission, User
from django.test import AsyncClient

from accounts.models import ApiToken, TokenScope
from accounts.tokens import create_token
from generation.sessions import TokenBucket, request_buckets
from tests.api.api_program import OPERATIONS, NewProgram, Program, body_for
from tests.factories import finished_task
from tests.socket.sockets import cookie_of

NOWHERE = "00000000-0000-4000-8000-000000000000"
"""The id of no task."""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def foreign(bob: User, model: str, now: datetime, media: Any) -> str:
    return str((await sync_to_async(finished_task)(bob, now)).pk)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
async def test_a_task_of_another_user_looks_like_none(
    program: Program, foreign: str, method: str, path: str
) -> None:
    theirs, none = [
        await program.call(method, f"/tasks/{task}{path}", body_for(path))
        for task in (foreign, NOWHERE)
    ]

    assert (theirs.status_code, theirs.content) == (none.status_code, none.content)
    assert theirs.status_code == 404
    assert theirs.headers == none.headers


async def test_staff_may_read_but_not_change(
    new_program: NewProgram, rita: User, foreign: str
) -> None:
    staff = await new_program(rita)

    codes = {
        (method, path): (
            await staff.call(method, f"/tasks/{foreign}{path}", body_for(path))
        ).status_code
        for method, path in OPERATIONS
    }

    allowed = {("GET", ""), ("GET", "/events"), ("GET", "/stream"), ("GET", "/pictures/1")}
    assert {each for each, code in codes.items() if code == 200} == allowed
    assert {code for each, code in codes.items() if each not in allowed} == {404}


async def test_staff_with_permission_may_cancel(
    new_program: NewProgram, program: Program, rita: User
) -> None:
    change = await Permission.objects.aget(codename="change_generationtask")
    await rita.user_permissions.aadd(change)
    task = await program.submit()

    answer = await (await new_program(rita)).post(task["urls"]["cancel"])

    assert answer.json() == {"answer": "cancelled"}


@pytest.mark.parametrize(
    ("authorization", "status", "code"),
    [
        (None, 401, "not_signed_in"),
        ("Bearer lj-wrong", 401, "not_signed_in"),
        ("Bearer other", 401, "not_signed_in"),
        ("Basic YTpi", 401, "not_signed_in"),
    ],
)
async def test_without_a_token_there_is_nothing(
    running_hub: None, authorization: str | None, status: int, code: str
) -> None:
    headers = {} if authorization is None else {"authorization": authorization}

    response = await AsyncClient().get("/api/v1/me", headers=headers)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response["WWW-Authenticate"] == "Bearer"


async def test_cookies_do_not_sign_in(running_hub: None, alice: User) -> None:
    response = await AsyncClient().get("/api/v1/me", headers={"cookie": await cookie_of(alice)})

    assert response.status_code == 401


async def test_a_disabled_account_is_refused(program: Program, alice: User) -> None:
    alice.is_active = False
    await alice.asave()

    response = await program.get("/me")

    assert (response.status_code, response.json()["code"]) == (403, "account_disabled")


async def test_requests_are_limited(program: Program, alice: User) -> None:
    request_buckets.by_owner[alice.pk] = TokenBucket(rate=0, burst=1)

    assert (await program.get("/me")).status_code == 200
    response = await program.get("/me")

    assert (response.status_code, response.json()["code"]) == (429, "flooding")
    del request_buckets.by_owner[alice.pk]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/tasks/17", 404, "not_found"),
        ("GET", f"/tasks/{NOWHERE}/pictures/9", 404, "not_found"),
        ("GET", f"/tasks/{NOWHERE}/pictures/x", 404, "not_found"),
        ("PATCH", "/tasks", 405, "method_not_allowed"),
        ("PUT", "/me", 405, "method_not_allowed"),
    ],
)
async def test_what_does_not_exist_is_a_problem_too(
    program: Program, method: str, path: str, status: int, code: str
) -> None:
    response = await program.call(method, path)

    assert response["Content-Type"] == "application/problem+json"
    assert (response.status_code, response.json()["code"]) == (status, code)


async def test_the_user_and_the_models(program: Program, model: str) -> None:
    me, models = (await program.get("/me")).json(), (await program.get("/models")).json()

    left = {"limit": 500, "left": 500, "renews_at": None}
    token = me.pop("token")
    assert me == {"username": "alice", "may_see_all": False, "limits": {"unfinished": left}}
    assert (token["name"], token["scope"], token["expires_at"]) == ("test", "write", None)
    assert [each["id"] for each in models["models"]] == [model]
    assert models["models"][0]["wait"]["position"] == 1


async def test_a_token_that_may_read_changes_nothing(
    running_hub: None, alice: User, program: Program, now: datetime
) -> None:
    task = await program.submit()
    token = await sync_to_async(create_token)(owner=alice, name="", now=now, scope=TokenScope.READ)
    reader = Program(token)

    for path in ("/tasks", f"/tasks/{task['id']}", f"/tasks/{task['id']}/events", "/me"):
        assert (await reader.get(path)).status_code == 200
    for method, path in (
        ("POST", "/tasks"),
        ("POST", f"/tasks/{task['id']}/cancel"),
        ("DELETE", f"/tasks/{task['id']}"),
        ("PUT", f"/tasks/{task['id']}/pictures/1/favourite"),
    ):
        response = await reader.call(method, path, {"prompt": "x"})
        assert (response.status_code, response.json()["code"]) == (403, "scope_missing")
    assert (await program.get("/tasks")).json()["tasks"][0]["status"] == "queued"


async def test_a_token_that_has_expired_is_no_token(
    running_hub: None, alice: User, now: datetime
) -> None:
    token = await sync_to_async(create_token)(
        owner=alice, name="", now=now, expires_at=now + timedelta(days=1)
    )
    program = Program(token)
    assert (await program.get("/me")).status_code == 200

    await ApiToken.objects.aupdate(expires_at=now)

    assert (await program.get("/me")).status_code == 401
