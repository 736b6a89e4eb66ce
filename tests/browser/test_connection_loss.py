"""Lost connections: the page shows it, reconnects, and misses nothing."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accounts import Account, create_accounts
from tests.browser.conftest import Shoot, SignIn
from tests.browser.page_actions import (
    Wire,
    card_of,
    expect_live,
    expect_percent,
    expect_picture,
    percent_of,
    send,
    task_id_of,
)
from tests.browser.tcp_proxy import TcpProxy
from tests.demo_faults import FAST, SLOW, SOME_SECONDS, fault_file
from tests.studio import Studio

pytestmark = pytest.mark.browser


@pytest.fixture
def proxy(studio: Studio) -> Iterator[TcpProxy]:
    proxy = TcpProxy(studio.port)
    yield proxy
    proxy.cut()


@pytest.fixture
def far(proxy: TcpProxy, sign_in: SignIn, person: Account) -> Page:
    """The studio's page at the far end of the proxy, not opened yet."""
    return sign_in(person, proxy.url).new_page()


def open_studio(page: Page) -> Wire:
    wire = Wire(page)
    page.goto("/")
    expect_live(page)
    return wire


def test_a_lost_connection_is_shown_and_caught_up(far: Page, proxy: TcpProxy, shoot: Shoot) -> None:
    wire = open_studio(far)
    card = send(far, "断线也不怕", **SOME_SECONDS)
    task_id = task_id_of(card)
    expect_percent(card, 10)

    proxy.cut()
    expect(far.locator("#connection [data-part=label]")).to_have_text("正在重连")
    expect(card).to_have_attribute("data-stale", "")
    expect(card.locator("[data-part=stale]")).to_have_text(re.compile(r"截至 \d\d:\d\d:\d\d"))
    expect(far.locator("#notice")).to_be_visible()
    frozen = percent_of(card)
    shoot(far, "reconnecting")
    assert percent_of(card) == frozen
    missed_after = wire.seqs(task_id)[-1]

    proxy.resume()
    expect_live(far)
    expect(card).not_to_have_attribute("data-stale", "")
    expect(far.locator("#notice")).to_be_hidden()
    expect_picture(far, card)

    seqs = wire.seqs(task_id)
    assert seqs == list(range(1, len(seqs) + 1))
    assert seqs[-1] > missed_after
    assert wire.opened >= 2


def test_messages_while_disconnected_are_sent_once(
    far: Page, proxy: TcpProxy, studio: Studio, person: Account, shoot: Shoot
) -> None:
    wire = open_studio(far)
    read_phase = (
        "dispatchEvent(new Event('offline')) && document.querySelector('#connection').dataset.phase"
    )
    assert far.evaluate(read_phase) == "offline"
    expect_live(far)  # the line answered
    proxy.cut()
    expect(far.locator("#notice")).to_be_visible()

    send(far, "sent into the void", steps=4, size="256x256")
    waiting = far.locator("#pending .pending__item")
    expect(waiting).to_have_count(1)
    expect(waiting).to_contain_text("还没发出")
    shoot(far, "not-sent-yet")
    far.wait_for_timeout(1_500)  # later than a double click
    far.evaluate("document.querySelector('#send').click()")
    expect(far.locator("[data-part=draft]")).to_have_text("这条刚才已提交，没有重复生成")
    expect(waiting).to_have_count(1)

    proxy.resume()
    far.evaluate("document.querySelector('#retry-now').click()")  # if it is not back already
    expect_picture(far, card_of(far, "sent into the void"))
    expect(waiting).to_have_count(0)
    assert tasks_of(studio, person) == ["sent into the void"]
    assert len([frame for frame in wire.frames if frame["type"] == "ack"]) == 1


def tasks_of(studio: Studio, person: Account) -> list[str]:
    query = (
        "select prompt from generation_generationtask join auth_user"
        " on auth_user.id = owner_id where username = ? order by created"
    )
    with sqlite3.connect(studio.data_dir / "db.sqlite3") as database:
        return [row[0] for row in database.execute(query, [person.name])]


def test_a_sign_out_elsewhere_asks_to_sign_in(far: Page, shoot: Shoot) -> None:
    open_studio(far)
    far.locator("[name=prompt]").fill("not sent yet")
    other = far.context.new_page()
    other.goto("/")
    other.locator(".avatar").click()
    other.get_by_role("button", name="退出").click()
    expect(other).to_have_url(re.compile("/accounts/sign-in/"))

    expect(far.locator("#connection")).to_have_attribute("data-phase", "stopped")
    expect(far.locator("[name=prompt]")).to_have_value("not sent yet")
    notice = far.locator("#notice")
    expect(notice).to_contain_text("登录")
    shoot(far, "signed-out")
    notice.get_by_role("link").click()
    expect(far).to_have_url(re.compile("/accounts/sign-in/"))


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Studio]:
    """A program that may be killed; a lost worker is noticed soon."""
    options = {"DEMO_SPEED": str(FAST), "DEMO_FAULTS": fault_file(tmp_path, SLOW)}
    studio = Studio(tmp_path / "data", **options, GENERATION_LEASE="3").start()
    yield studio
    studio.stop()


def test_the_page_survives_a_killed_server(mortal: Studio, sign_in: SignIn, shoot: Shoot) -> None:
    (person,) = create_accounts(mortal, first=1, count=1)
    page = sign_in(person, mortal.url).new_page()
    wire = open_studio(page)
    card = send(page, "survives everything", **SOME_SECONDS)
    task_id = task_id_of(card)
    expect_percent(card, 20)

    mortal.kill()
    expect(card).to_have_attribute("data-stale", "")
    mortal.start()
    expect_live(page)
    expect(card.locator("[data-part=past] > *")).to_have_count(1)
    shoot(page, "second-attempt")
    expect_picture(page, card)

    seqs = wire.seqs(task_id)
    assert seqs == list(range(1, len(seqs) + 1))
    kinds = [event["kind"] for event in wire.events(task_id)]
    assert kinds.count("interrupted") == 1
