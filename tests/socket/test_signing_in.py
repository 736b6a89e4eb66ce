"""Who gets in, and which close code tells everybody else why not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client, override_settings

from generation import services
from generation.conversation.credentials import is_our_origin
from tests.socket.pages import OpenPage, Page, cookie_of

FOREIGN = [
    "Basic c3R1ZGlvOnNlY3JldA==",
    'Digest username="studio", realm="r", nonce="n", uri="/", response="0"',
    "Negotiate YIIJvwYGKwYBBQUCoIIJszCCCa+gJDAi",
    "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl",
    "Bearer",
    "Bearer ",
    "lj-token-without-a-scheme",
    "\xff\xfe",
]
"""What stands in Authorization when it is not ours."""

Visitor = Callable[..., Awaitable[Page]]


async def token_of(user: User, now: datetime) -> str:
    return await sync_to_async(services.create_token)(owner=user, name="test", now=now)


async def test_a_page_of_ours_with_a_session_gets_hello(alice: User, open_page: OpenPage) -> None:
    page = await open_page(alice)

    hello = page.messages[0]
    assert (hello["protocol"], hello["active"]) == (1, [])
    assert hello["connection_id"]


async def test_a_program_with_a_token_needs_no_origin(
    alice: User, visitor: Visitor, now: datetime
) -> None:
    page = await visitor(authorization=f"Bearer {await token_of(alice, now)}")

    assert (await page.receive())["type"] == "hello"
    await page.close()


async def test_a_bad_token_is_refused_even_beside_a_good_cookie(
    alice: User, visitor: Visitor
) -> None:
    page = await visitor(
        authorization="Bearer lj-wrong",
        cookie=await cookie_of(alice),
        origin="http://testserver",
    )

    assert await page.close_code() == 4401


@pytest.mark.parametrize("authorization", FOREIGN)
async def test_what_a_proxy_puts_into_authorization_does_not_hide_a_cookie(
    alice: User, visitor: Visitor, authorization: str
) -> None:
    cookie = await cookie_of(alice)
    here = await visitor(authorization=authorization, cookie=cookie, origin="http://testserver")
    elsewhere = await visitor(
        authorization=authorization, cookie=cookie, origin="http://evil.example"
    )
    alone = await visitor(authorization=authorization)

    assert (await here.receive())["type"] == "hello"
    await here.close()
    assert await elsewhere.close_code() == 4403
    assert await alone.close_code() == 4401


@pytest.mark.parametrize("around", ["bearer {}", "Basic eDp5, Bearer {}", "Bearer a.b.c,Bearer {}"])
async def test_a_token_of_ours_counts_beside_what_a_proxy_adds(
    alice: User, bob: User, visitor: Visitor, now: datetime, around: str
) -> None:
    token = await token_of(alice, now)
    page = await visitor(authorization=around.format(token), cookie=await cookie_of(bob))

    assert (await page.receive())["type"] == "hello"
    await page.close()


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "https://testserver", "http://testserver:81", "null", ""]
)
async def test_a_cookie_from_another_origin_is_refused(
    alice: User, visitor: Visitor, origin: str
) -> None:
    page = await visitor(cookie=await cookie_of(alice), origin=origin)

    assert await page.close_code() == 4403


async def test_nobody_is_not_signed_in(visitor: Visitor) -> None:
    page = await visitor(origin="http://testserver")

    assert await page.close_code() == 4401


async def test_a_signed_out_session_is_not_signed_in(alice: User, visitor: Visitor) -> None:
    @sync_to_async
    def signed_out() -> str:
        client = Client()
        client.force_login(alice)
        name = settings.SESSION_COOKIE_NAME
        cookie = f"{name}={client.cookies[name].value}"
        client.logout()
        return cookie

    page = await visitor(cookie=await signed_out(), origin="http://testserver")

    assert await page.close_code() == 4401


async def test_a_disabled_account_is_told_apart(
    alice: User, visitor: Visitor, now: datetime
) -> None:
    cookie, token = await cookie_of(alice), await token_of(alice, now)
    await User.objects.filter(pk=alice.pk).aupdate(is_active=False)

    by_cookie = await visitor(cookie=cookie, origin="http://testserver")
    by_token = await visitor(authorization=f"Bearer {token}")

    assert await by_cookie.close_code() == 4403
    assert await by_token.close_code() == 4403


@pytest.mark.parametrize(
    ("forwarded", "comes_in"),
    [({}, False), ({"x_forwarded_proto": "http"}, False), ({"x_forwarded_proto": "https"}, True)],
    ids=["direct", "http", "https"],
)
async def test_a_socket_without_tls_is_refused_where_the_site_has_https(
    alice: User,
    visitor: Visitor,
    now: datetime,
    forwarded: dict[str, str],
    comes_in: bool,
) -> None:
    token, cookie = await token_of(alice, now), await cookie_of(alice)
    behind_tls = {"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")}

    with override_settings(HTTPS=True, **behind_tls):
        by_token = await visitor(authorization=f"Bearer {token}", **forwarded)
        by_cookie = await visitor(cookie=cookie, origin="https://testserver", **forwarded)

    for page in (by_token, by_cookie):
        if comes_in:
            assert (await page.receive())["type"] == "hello"
            await page.close()
        else:
            assert await page.close_code() == 4403


def test_default_ports_are_the_same_address() -> None:
    headers = {b"host": "studio.example", b"origin": "http://studio.example:80"}

    assert is_our_origin({"scheme": "ws"}, headers)
    assert not is_our_origin({"scheme": "ws"}, {**headers, b"origin": "http://[bad"})
