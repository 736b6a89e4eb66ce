"""A newcomer from the invitation to the sign-out, and a user of an OpenID provider."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.account_actions import PASSWORD, add_passkey, sign_out, sign_up, site
from tests.browser.conftest import PHONE, SignIn, zone_of_noon
from tests.browser.page_actions import card_of, expect_live, expect_picture, open_studio, send
from tests.browser.sign_in import submit_sign_in
from tests.demo_faults import FAST
from tests.process import openid_provider as idp
from tests.process.provider_process import Provider, settings_for
from tests.studio import ROOT, Studio, free_port

pytestmark = pytest.mark.browser

LIMITS = {"LIMIT_PICTURES_PER_DAY": "4", "LIMIT_SUBMISSIONS_PER_MINUTE": "1"}
MANY_SUBMISSIONS = """
insert into generation_limitoverride (user_id, kind, value)
select id, 'submissions', 100 from auth_user where username = ?
"""
STAMP = """
new MutationObserver((_, observer) => {
  if (document.querySelector("#connection").dataset.phase !== "stopped") return;
  window.stoppedAt = Date.now() / 1000;
  observer.disconnect();
}).observe(document.querySelector("#connection"), { attributes: true });
"""


@pytest.fixture(scope="module")
def open_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio with invitations, limits, receivers of webhooks here, and an OpenID provider."""
    port = free_port()
    studio = Studio(
        tmp_path_factory.mktemp("open") / "data",
        **settings_for(port),
        **LIMITS,
        SIGNUP="invite",
        WEBHOOK_ALLOW="127.0.0.1",
        DEMO_SPEED=str(FAST),
        TIME_ZONE=zone_of_noon(),
    )
    provider = Provider(tmp_path_factory.mktemp("provider"), [studio], port)
    try:
        studio.start()
        provider.wait()
        yield studio
    finally:
        studio.stop()
        provider.stop()


def test_an_account_at_a_provider_signs_in(open_house: Studio, sign_in: SignIn) -> None:
    page = sign_in(None, open_house.url).new_page()
    page.goto("/gallery/")
    page.get_by_role("button", name="Bamboo").click()
    page.locator("[name=login]").fill("mei")
    page.locator("[name=password]").fill(idp.PASSWORD)
    page.locator("form[action*=login] button[type=submit]").click()
    page.locator("[name=action][value=grant]").click()

    expect(page).to_have_url(f"{open_house.url}/gallery/")
    page.locator(".avatar").click()
    expect(page.get_by_text("mei", exact=True).first).to_be_visible()


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_a_newcomer_and_their_programs_draw(
    open_house: Studio, sign_in: SignIn, tmp_path: Path
) -> None:
    desk = sign_up(open_house, sign_in(None, site(open_house)), "newcomer")
    add_passkey(desk)
    recovery_code = desk.locator("#recovery_codes").input_value().split()[0]
    desk.locator("#codes_saved").check()
    desk.goto("/")
    sign_out(desk)
    desk.locator("#passkey_login").click()
    expect_live(desk)

    limit_is_announced_reached_and_renewed(desk)

    token = new_token(desk)
    with closing(sqlite3.connect(open_house.data_dir / "db.sqlite3", timeout=20)) as rows, rows:
        rows.execute(MANY_SUBMISSIONS, ["newcomer"])
    with webhook_receiver(desk, token, tmp_path / "received") as received:
        programs = run_programs(site(open_house), token, tmp_path)
        files = [Path(received.readline().strip()) for _program in programs]
    for file in (*programs, *files):
        with Image.open(file) as picture:
            assert picture.size == (512, 512), file
    desk.goto("/")
    for prompt in programs.values():
        expect_picture(desk, card_of(desk, prompt))
    expect(desk.locator("[data-part=limits]")).to_have_text(re.compile("今天的 4 张已用完"))

    phone = sign_in(None, site(open_house), viewport=PHONE, has_touch=True, is_mobile=True)
    account = phone.new_page()
    account.goto("/accounts/sessions/")
    submit_sign_in(account, "newcomer", PASSWORD)
    account.locator("[name=code]").fill(recovery_code)
    account.locator(".account__form .button--solid").click()
    expect(account.locator(".account__row")).to_have_count(2)
    signed_out_by(account.locator(".account__row button"), desk)
    expect(desk.locator("#notice")).to_contain_text("登录")

    other_page = open_studio(phone)
    account.locator(".avatar").click()
    signed_out_by(account.get_by_role("button", name="退出"), other_page)


def limit_is_announced_reached_and_renewed(page: Page) -> None:
    line = page.locator("[data-part=limits]")
    expect(line).to_have_text("今日还可生成 4 张")
    wait_near_the_end_of_a_minute(page)
    card = send(page, "by hand")
    expect(line).to_have_text(re.compile(r"每分钟最多提交 1 个任务，\d\d:\d\d 恢复"))
    expect_picture(page, card)
    # the next minute is less than a minute away
    expect(line).to_have_text("今日还可生成 3 张", timeout=90_000)
    page.locator("[data-part=counts] label:has([value='4'])").click()
    reached = re.compile(r"今天的 4 张只剩 3 张，\d\d:\d\d 恢复")
    expect(line).to_have_text(reached)
    page.locator("[name=prompt]").fill("four of three")
    page.locator("#send").click()
    expect(page.locator("[data-error='']")).to_have_text(reached)


def wait_near_the_end_of_a_minute(page: Page) -> None:
    """So that a limit of the minute is not renewed before the page has shown it."""
    gone = time.time() % 60
    if gone > 45:
        page.wait_for_timeout((60 - gone) * 1_000)


def new_token(page: Page) -> str:
    page.goto("/accounts/programs/new/")
    page.get_by_role("link", name="用通行密钥").click()
    page.locator("#mfa_webauthn_reauthenticate").click()
    page.locator("[name=name]").fill("all my scripts")
    page.get_by_role("button", name="创建令牌").click()
    return page.locator("#new-token").input_value()


@contextmanager
def webhook_receiver(page: Page, token: str, folder: Path) -> Iterator[IO[str]]:
    """The example, registered on the page; what it prints are the files that it saves."""
    port = free_port()
    page.goto("/accounts/webhooks/new/")
    page.locator("[name=url]").fill(f"http://127.0.0.1:{port}/")
    page.get_by_role("button", name="创建网络回调").click()
    secret = page.locator("#new-secret").input_value()
    options = {"--secret": secret, "--token": token, "--port": str(port), "--folder": str(folder)}
    command = [sys.executable, "examples/receive_webhooks.py", *flattened(options)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == f"http://127.0.0.1:{port}/\n"
            yield process.stdout
        finally:
            process.kill()


def flattened(options: dict[str, str]) -> list[str]:
    return [part for pair in options.items() for part in pair]


def run_programs(url: str, token: str, folder: Path) -> dict[Path, str]:
    """Run the examples side by side; the files that they saved, with their prompts."""
    files = {folder / f"{name}.jpg": f"drawn by {name}" for name in ("curl", "openai", "mcp")}
    by_curl, *by_python = files
    curl = ["sh", "examples/draw.sh", files[by_curl], str(by_curl)]
    running = [subprocess.Popen(curl, cwd=ROOT, env={**os.environ, "URL": url, "TOKEN": token})]
    for file in by_python:
        options = {"--url": url, "--token": token, "--prompt": files[file], "--file": str(file)}
        command = [sys.executable, f"examples/draw_with_{file.stem}.py", *flattened(options)]
        running.append(subprocess.Popen(command, cwd=ROOT))
    assert [program.wait(timeout=60) for program in running] == [0, 0, 0]
    return files


def signed_out_by(button: Locator, page: Page) -> None:
    """Press it in one browser; print how long the open `page` did not know it."""
    page.evaluate(STAMP)
    pressed = time.time()
    button.click()
    expect(page.locator("#connection")).to_have_attribute("data-phase", "stopped")
    print(f"the page knew it after {page.evaluate('window.stoppedAt') - pressed:.3f} s")  # noqa: T201
