"""Access to the socket, and the close codes of refusals."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client, override_settings

from accounts.log_format import log_line
from generation.sessions.authentication import credentials_of
from generation.sessions.origin import is_same_origin
from tests.socket.sockets import Page, Visitor, cookie_of
from tests.socket.tokens import FOREIGN, token_of

FOREIGN_HOSTS = ["evil.example", "testserver.evil.example", "testserver,evil.example", "[::1", ""]

COOKIES_OF_OTHERS = [
    *('prefs={"a":1}', "foo=a b", "foo[bar]=1", "a@b=1", "foo", "expires=x", "path", "é=1"),
    *("n=日本", "secure; httponly", 'a="x', 'a=x"; b=\\', "(x)=1", "$Version=1", "a=b,c=d"),
    *("=; ;; =x", "a=\x01"),
]
"""What other applications on the same host may have set."""


async def test_a_page_of_ours_with_a_session_gets_hello(page: Page) -> None:
    hello = page.messages[0]
    assert (hello["protocol"], hello["active"]) == (1, [])
    assert hello["connection_id"]


async def test_a_token_needs_no_origin(alice: User, visitor: Visitor, now: datetime) -> None:
    page = await visitor(authorization=f"Bearer {await token_of(alice, now)}")

    assert (await page.receive())["type"] == "hello"
    await page.close()


async def test_a_bad_token_beside_a_good_cookie_is_refused(alice: User, visitor: Visitor) -> None:
    page = await visitor(
        authorization="Bearer lj-wrong", cookie=await cookie_of(alice), origin="http://testserver"
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
async def test_a_foreign_origin_is_refused(alice: User, visitor: Visitor, origin: str) -> None:
    page = await visitor(cookie=await cookie_of(alice), origin=origin)

    assert await page.close_code() == 4403


@pytest.mark.parametrize("others", [*COOKIES_OF_OTHERS, "; ".join(COOKIES_OF_OTHERS)])
@pytest.mark.parametrize("around", ["{others}; {ours}", "{ours}; {others}", "{others};{ours};a=b"])
def test_cookies_of_other_applications_do_not_hide_ours(others: str, around: str) -> None:
    ours = f"{settings.SESSION_COOKIE_NAME}=the-key"
    cookie = around.format(others=others, ours=ours).encode()
    headers = [(b"host", b"testserver"), (b"origin", b"http://testserver"), (b"cookie", cookie)]

    assert credentials_of({"path": "/", "headers": headers}).session_key == "the-key"


async def test_a_page_beside_other_applications_gets_hello(alice: User, visitor: Visitor) -> None:
    cookie = "; ".join([*COOKIES_OF_OTHERS, await cookie_of(alice), *COOKIES_OF_OTHERS])
    page = await visitor(cookie=cookie, origin="http://testserver")

    assert (await page.receive())["type"] == "hello"
    await page.close()


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
async def test_a_socket_is_asked_for_under_a_name_of_the_site(
    alice: User, visitor: Visitor, now: datetime, host: str, caplog: pytest.LogCaptureFixture
) -> None:
    cookie, token = await cookie_of(alice), await token_of(alice, now)

    by_cookie = await visitor(host=host, cookie=cookie, origin=f"http://{host}")
    by_token = await visitor(host=host, authorization=f"Bearer {token}")

    assert await by_cookie.close_code() == 4403
    assert await by_token.close_code() == 4403
    lines = [each.getMessage() for each in caplog.records if "Host" in each.name]
    assert lines == [log_line("host_refused", host=host, address="unknown")] * 2


async def test_every_host_name_is_allowed(alice: User, visitor: Visitor, settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".studio.example", "[fd00::5]"]
    for host in ("studio.example", "a.Studio.Example:8000", "[fd00::5]:8000"):
        page = await visitor(host=host, cookie=await cookie_of(alice), origin=f"http://{host}")

        assert (await page.receive())["type"] == "hello"
        await page.close()


async def test_an_anonymous_socket_gets_4401(visitor: Visitor) -> None:
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


async def test_a_disabled_account_gets_4403(alice: User, visitor: Visitor, now: datetime) -> None:
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
    alice: User, visitor: Visitor, now: datetime, forwarded: dict[str, str], comes_in: bool
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

    assert is_same_origin({"scheme": "ws"}, headers)
    assert not is_same_origin({"scheme": "ws"}, {**headers, b"origin": "http://[bad"})
