"""API tokens: the cost of many bad ones, and the security log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.core.cache import caches
from django.core.management import call_command
from django.test import AsyncClient, Client

from accounts.token_authentication import (
    MAX_TOKENS,
    TOKEN_LIMIT,
    TokenThrottled,
    ValidTokens,
    authenticate_token,
)
from tests.factories import finished_task
from tests.socket.sockets import OpenPage, Visitor
from tests.socket.tokens import token_of

ADDRESS = "unknown"
"""Of sockets without a peer, as these tests open them."""


@pytest.fixture(autouse=True)
def limits() -> Iterator[None]:
    caches["local"].clear()
    yield
    caches["local"].clear()


@pytest.fixture
def log_lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.INFO, logger="liujuan.security")

    def lines() -> list[str]:
        records = [each for each in caplog.records if each.name == "liujuan.security"]
        return [each.getMessage() for each in records]

    return lines


def exhaust(address: str) -> None:
    caches["local"].set(TOKEN_LIMIT.key_of(address), TOKEN_LIMIT.free + 5)
    TOKEN_LIMIT.hit(address)


async def test_bad_tokens_are_throttled(alice: User, visitor: Visitor, now: datetime) -> None:
    token = await token_of(alice, now)
    good = await visitor(authorization=f"Bearer {token}")
    assert (await good.receive())["type"] == "hello"
    assert await (await visitor(authorization="Bearer lj-bad")).close_code() == 4401

    exhaust(ADDRESS)
    assert await (await visitor(authorization="Bearer lj-bad")).close_code() == 4429
    again = await visitor(authorization=f"Bearer {token}")
    assert (await again.receive())["type"] == "hello"
    for page in (good, again):
        await page.close()


@pytest.mark.django_db
def test_bad_tokens_for_files_wait_too(
    media: Path, alice: User, now: datetime, django_assert_num_queries: Any
) -> None:
    url = f"/pictures/{finished_task(alice, now).pk}/1/"
    bad = {"Authorization": "Bearer lj-bad"}
    assert Client().get(url, headers=bad).status_code == 401

    exhaust("127.0.0.1")
    with django_assert_num_queries(0):
        answer = Client().get(url, headers=bad)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60


@pytest.mark.django_db
def test_thirty_bad_tokens_are_free(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(30):
        assert [authenticate_token(f"lj-{n}", address="192.0.2.1") for n in range(30)] == [
            None
        ] * 30
    with django_assert_num_queries(0), pytest.raises(TokenThrottled):
        authenticate_token("lj-30", address="192.0.2.1")


def test_good_tokens_are_remembered_up_to_a_number() -> None:
    tokens = ValidTokens()
    for number in range(MAX_TOKENS + 1):
        tokens.add(str(number))

    assert len(tokens.digests) == MAX_TOKENS
    assert "0" not in tokens
    assert "1" in tokens


async def test_a_tokens_life_is_in_the_security_log(
    alice: User, visitor: Visitor, now: datetime, log_lines: Callable[[], list[str]]
) -> None:
    await sync_to_async(call_command)("create_token", "alice", name="a robot")
    token = await token_of(alice, now)
    for _each in range(2):
        page = await visitor(authorization=f"Bearer {token}")
        await page.receive()
        await page.close()
    await (await visitor(authorization="Bearer lj-secret")).close_code()

    assert log_lines() == [
        'token_made account=alice address=- name="a robot"',
        "token_made account=alice address=- name=test",
        "token_first_used account=alice address=unknown name=test",
        "token_refused account=- address=unknown",
    ]


async def test_refusals_and_ends_are_in_the_security_log(
    alice: User,
    bob: User,
    open_page: OpenPage,
    visitor: Visitor,
    log_lines: Callable[[], list[str]],
) -> None:
    page = await open_page(bob)
    await (await visitor(cookie="x=y", origin="http://evil.example\n")).close_code()
    bob.is_active = False
    await bob.asave()
    assert await page.close_code() == 4403

    client = AsyncClient()
    await sync_to_async(client.force_login)(alice)
    assert (await client.get("/admin/login/")).status_code == 403
    await client.post("/accounts/sign-out/")

    assert log_lines() == [
        "sign_in_ok account=bob address=unknown how=-",
        'permission_refused account=- address=unknown origin="http://evil.example\\n"',
        "session_ended account=bob address=unknown code=4403",
        "sign_in_ok account=alice address=unknown how=-",
        "permission_refused account=alice address=127.0.0.1 path=/admin/login/",
        "signed_out account=alice address=127.0.0.1",
    ]
