"""The whole site below a path behind nginx: no request leaves the path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import SignIn
from tests.browser.page_actions import expect_live, expect_picture, send
from tests.browser.sign_in import submit_sign_in
from tests.demo_faults import FAST
from tests.process.nginx import Nginx, needs_nginx
from tests.studio import Studio

pytestmark = [pytest.mark.browser, needs_nginx]

BASE = "/studio"


@pytest.fixture
def below(tmp_path: Path) -> Iterator[Studio]:
    """The program below BASE, with nginx in front; it prints the address."""
    studio = Studio(tmp_path / "data", DEMO_SPEED=str(FAST), ACCEL_REDIRECT="/_media")
    nginx = Nginx(tmp_path / "nginx", webs=[studio.port], data_dir=studio.data_dir, base=BASE)
    studio.env["PUBLIC_URL"] = nginx.url + BASE
    # is_ready asks this process without the path, nginx leaves it in: both are answered
    studio.start()
    nginx.start()
    yield studio
    nginx.stop()
    studio.stop()


def test_everything_of_the_site_lies_below_its_path(sign_in: SignIn, below: Studio) -> None:
    site = below.printed["URL"]
    context = sign_in(None, site)
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    context.on("request", note)
    page = context.new_page()
    page.on("websocket", lambda socket: asked.append(socket.url))

    page.goto(site.rstrip("/"))
    submit_sign_in(page, below.printed["Name"], below.printed["Password"])
    expect(page).to_have_url(site)
    draw_and_look(page)
    shared = share(page)
    stranger = sign_in(None, site).new_page()
    stranger.on("request", note)
    stranger.goto(shared)
    expect(stranger.locator("img").first).to_be_visible()

    page.goto(f"{site}admin/")
    page.locator("a", has_text=re.compile("Studio")).first.click()
    page.goto(f"{site}admin/generation/generationtask/")
    page.locator("#result_list tbody th a").first.click()
    expect(page).to_have_url(re.compile(f"{BASE}/admin/generation/generationtask/"))
    page.locator("#user-tools a[href='/studio/']").click()
    expect_live(page)

    # without nginx, and for a proxy that takes the path away
    for path in ("/static/studio/mark.svg", f"{BASE}/static/studio/mark.svg", f"{BASE}/healthz"):
        assert context.request.get(below.url + path).status == 200

    paths = {urlsplit(url).path for url in asked}
    assert {path for path in paths if not path.startswith(f"{BASE}/") and path != BASE} == set()
    assert shared.startswith(f"{site}shared/")
    assert {cookie["path"] for cookie in context.cookies()} == {f"{BASE}/"}


def draw_and_look(page: Page) -> None:
    """Through socket, pictures, viewer, gallery and the task's page."""
    expect_live(page)
    card = send(page, "below", size="256x256", steps=3)
    expect_picture(page, card)
    page.reload()
    expect_live(page)
    expect_picture(page, page.locator("article.card").first)
    page.locator(".card__pictures a[data-picture-key]").first.click()
    viewer = page.locator("dialog.viewer")
    expect(viewer.locator("[data-part=panel][data-known]")).to_have_count(1)
    with page.expect_response(f"**{BASE}/gallery/favourite/"):
        page.keyboard.press("f")
    viewer.locator("[data-part=task]").click()
    expect(page).to_have_url(re.compile(f"{BASE}/tasks/"))
    expect_live(page)
    page.goto(page.url.partition("/tasks/")[0] + "/gallery/")
    expect(page.locator(".tile[data-favourite]")).to_have_count(1)


def share(page: Page) -> str:
    """The address of a link to the first task."""
    page.locator(".bar__nav a").first.click()
    expect_live(page)
    card = page.locator("article.card").first
    card.locator("[data-action=share]").evaluate("button => button.click()")
    field = page.locator("dialog[open] [data-part=url]")
    expect(field).to_be_visible()
    url = field.input_value()
    page.keyboard.press("Escape")
    return url
