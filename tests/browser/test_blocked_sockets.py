"""Networks that block WebSockets, and that buffer streams too."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accounts import Account
from tests.browser.conftest import Shoot, SignIn
from tests.browser.page_actions import (
    card_of,
    expect_live,
    expect_percent,
    expect_picture,
    expect_status,
    open_studio,
    percent_of,
    send,
)
from tests.browser.tcp_proxy import HttpOnlyProxy
from tests.demo_faults import HELD_STEPS, SOME_SECONDS
from tests.studio import Studio

pytestmark = pytest.mark.browser

Behind = Callable[..., tuple[HttpOnlyProxy, Page]]


@pytest.fixture
def behind(studio: Studio, sign_in: SignIn, person: Account) -> Iterator[Behind]:
    """`behind(buffers=…)`: an old proxy, and the studio's open page behind it."""
    proxies: list[HttpOnlyProxy] = []

    def behind(*, buffers: bool = False) -> tuple[HttpOnlyProxy, Page]:
        proxy = HttpOnlyProxy(studio.port, buffers=buffers)
        proxies.append(proxy)
        page = open_studio(sign_in(person, proxy.url))
        return proxy, page

    yield behind
    for proxy in proxies:
        proxy.cut()


def expect_transport(page: Page, transport: str) -> None:
    expect(page.locator("#connection")).to_have_attribute("data-transport", transport)


def test_without_sockets_everything_comes_by_the_stream(behind: Behind, shoot: Shoot) -> None:
    _proxy, page = behind()
    expect_transport(page, "sse")
    expect(page.locator("#connection [data-part=label]")).to_have_text("实时已连接")
    expect(page.locator("#connection [data-part=detail]")).to_contain_text("备用通道 SSE")
    page.locator("#connection summary").click()
    expect(page.locator("#connection [data-part=why]")).to_contain_text("WebSocket")
    shoot(page, "over-sse")

    card = send(page, "没有套接字", steps=HELD_STEPS, size="1024x1024")
    expect_percent(card, 5)
    before = percent_of(card)
    page.reload()
    expect_transport(page, "sse")
    card = card_of(page, "没有套接字")
    expect_percent(card, before)
    card.locator("[data-action=cancel]").click()
    expect_status(card, "cancelled")

    expect_picture(page, send(page, "drawn all the same", steps=4, size="256x256"))


def test_blocked_streams_fall_back_to_polls(behind: Behind, shoot: Shoot) -> None:
    _proxy, page = behind(buffers=True)
    expect_transport(page, "poll")
    expect(page.locator("#connection [data-part=label]")).to_have_text("每 10 秒更新")

    # long enough to be seen running by a poll every two seconds
    card = send(page, "一问一答", **SOME_SECONDS)
    expect(page.locator("#connection [data-part=label]")).to_have_text("每 2 秒更新")
    expect_percent(card, 5)
    shoot(page, "by-polling")
    expect_picture(page, card)


def test_a_lost_stream_is_shown_too(behind: Behind) -> None:
    proxy, page = behind()
    card = send(page, "断了再续", **SOME_SECONDS)
    expect_percent(card, 5)

    proxy.cut()
    expect(page.locator("#connection [data-part=label]")).to_have_text("正在重连")
    expect(card).to_have_attribute("data-stale", "")
    proxy.resume()

    expect_live(page)
    expect_transport(page, "sse")
    expect_picture(page, card)


def test_the_socket_takes_over_when_it_works_again(behind: Behind) -> None:
    proxy, page = behind()
    page.clock.install()
    page.reload()
    expect_transport(page, "sse")
    card = send(page, "unterwegs", **SOME_SECONDS)
    expect_percent(card, 5)

    proxy.allows_websockets = True
    page.clock.fast_forward(61_000)

    expect_transport(page, "ws")
    expect_picture(page, card)
    expect(page.locator("#connection [data-part=why]")).to_be_hidden()


def test_where_sockets_work_nothing_else_is_even_loaded(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.reload()
    expect_picture(page, send(page, "direct", steps=4, size="256x256"))

    expect_transport(page, "ws")
    names = ("/events/", "/messages/", "sse", "poll", "http-line")
    assert [url for url in asked if any(name in url for name in names)] == []
