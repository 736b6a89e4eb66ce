"""The real program, a real browser, and signed-in accounts."""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from tests.browser.accounts import Account, create_accounts
from tests.browser.chromium_restart import CHROMIUM, Chromium, repeat_if_chromium_crashed
from tests.browser.gallery_rows import create_gallery
from tests.browser.gallery_visits import GALLERIES, Visit, tiles
from tests.browser.page_actions import expect_picture, send
from tests.demo_faults import FAST, HELD, SLOW, STUBBORN, fault_file
from tests.studio import Studio, wait_until

RECORDER = Path(__file__).with_name("recorder.js")
PATIENCE_MS = 30_000
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}
DEFAULTS = {"viewport": DESKTOP, "locale": "zh-CN", "reduced_motion": "reduce"}
"""Without motion, which costs a third of the processor time while a task is at work."""
AT_ONCE = 40

numbers = itertools.count()

SignIn = Callable[..., BrowserContext]
NewAccount = Callable[[], Account]
Shoot = Callable[[Page, str], None]


@pytest.fixture(scope="package")
def chromium_process(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Chromium]:
    """Ended with the folder: an asyncio test cannot run beside Playwright's own loop."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        chromium = Chromium(playwright, tmp_path_factory.mktemp("chromium"))
        request.session.stash[CHROMIUM] = chromium
        yield chromium
        chromium.close()


@pytest.fixture
def chromium(chromium_process: Chromium) -> Browser:
    return chromium_process.running()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    uses = getattr(item, "fixturenames", ())
    return repeat_if_chromium_crashed(item, nextitem) if "chromium" in uses else None


def zone_of_noon() -> str:
    """A time zone where it is between 12 and 13 o'clock: no day ends while the tests run."""
    hours_ahead = 12 - datetime.now(UTC).hour
    # the sign of these names is that of POSIX: Etc/GMT-5 is five hours ahead of UTC
    return f"Etc/GMT{-hours_ahead:+d}"


@pytest.fixture(scope="session")
def shared_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("shared")
    faults = fault_file(folder, HELD, STUBBORN, SLOW)
    options = {"DEMO_FAULTS": faults, "TIME_ZONE": zone_of_noon()}
    studio = Studio(folder, DEMO_SPEED=str(FAST), **options).start()
    yield studio
    studio.stop()


@pytest.fixture(scope="session")
def token(shared_studio: Studio) -> str:
    """Of the printed account, which may cancel everything."""
    return shared_studio.token()


@pytest.fixture
def studio(shared_studio: Studio, token: str) -> Iterator[Studio]:
    """The shared program; whatever a test leaves unfinished is finished before the next one."""
    yield shared_studio
    cancel_what_is_left(shared_studio, token)


def unfinished(studio: Studio) -> list[str]:
    query = "select id from generation_generationtask where status in ('queued', 'running')"
    with sqlite3.connect(studio.data_dir / "db.sqlite3") as database:
        return [row[0] for row in database.execute(query)]


def cancel_what_is_left(studio: Studio, token: str) -> None:
    left = unfinished(studio)
    if not left:
        return
    with studio.connect(token) as watcher:
        for task_id in left:
            watcher.send(action="cancel", task_id=task_id)
        wait_until(lambda: not unfinished(studio), what="the line is empty")


@pytest.fixture(scope="session")
def crowds() -> dict[int, list[Account]]:
    """Unused accounts by the port of their studio."""
    return {}


@pytest.fixture
def new_account(studio: Studio, crowds: dict[int, list[Account]]) -> NewAccount:
    """An account without tasks."""

    def new_account() -> Account:
        crowd = crowds.setdefault(studio.port, [])
        if not crowd:
            crowd += create_accounts(studio, first=next(numbers) * AT_ONCE, count=AT_ONCE)
        return crowd.pop()

    return new_account


@pytest.fixture
def person(new_account: NewAccount) -> Account:
    return new_account()


@pytest.fixture
def sign_in(chromium: Browser) -> Iterator[SignIn]:
    """`sign_in(person, url)`: a browser of that person's own; an error in a page fails the test."""
    contexts: list[BrowserContext] = []
    broken: list[str] = []

    def sign_in(person: Account | None, url: str, **options: Any) -> BrowserContext:
        options = {**DEFAULTS, "base_url": url, **options}
        context = chromium.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(path=RECORDER)
        context.on("weberror", lambda error: broken.append(str(error.error)))
        context.on("console", lambda line: broken.append(line.text) if is_bad(line.text) else None)
        if person is not None:
            cookie = {"name": person.cookie_name, "value": person.session_key, "url": url}
            context.add_cookies([cookie])  # type: ignore[list-item]
        return context

    yield sign_in
    for context in contexts:
        context.close()
    assert broken == []


def is_bad(line: str) -> bool:
    return "Content Security Policy" in line


@pytest.fixture
def phone(sign_in: SignIn, studio: Studio, person: Account) -> BrowserContext:
    return sign_in(person, studio.url, viewport=PHONE, has_touch=True, is_mobile=True)


@pytest.fixture(scope="session")
def gallery_owners(shared_studio: Studio) -> dict[str, Account]:
    people = create_accounts(shared_studio, first=700, count=len(GALLERIES))
    owners = dict(zip(GALLERIES, people, strict=True))
    create_gallery(shared_studio, {owners[name].name: rows for name, rows in GALLERIES.items()})
    return owners


@pytest.fixture
def visit(gallery_owners: dict[str, Account], sign_in: SignIn, studio: Studio) -> Visit:
    """`visit("filters")`: that person's gallery, open."""

    def visit(name: str, path: str = "/gallery/", **options: object) -> Page:
        page = sign_in(gallery_owners[name], studio.url, **options).new_page()
        page.goto(path)
        expect(tiles(page).first).to_be_visible()
        return page

    return visit


@pytest.fixture
def context(sign_in: SignIn, studio: Studio, person: Account) -> BrowserContext:
    return sign_in(person, studio.url)


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """The studio, open and connected."""
    page = context.new_page()
    page.goto("/")
    expect(page.locator("#connection")).to_have_attribute("data-phase", "live")
    return page


@pytest.fixture
def shoot(sign_in: SignIn) -> Shoot:
    """`shoot(page, "name")` leaves pictures of the page in LIUJUAN_SCREENSHOTS, if that is set."""
    folder = os.environ.get("LIUJUAN_SCREENSHOTS")

    def shoot(page: Page, name: str) -> None:
        if folder is None:
            return
        take(page, f"{folder}/{name}-zh")
        if page.locator("#connection[data-phase=live]").count():
            english = sign_in(None, page.url, locale="en-GB")
            english.add_cookies(page.context.cookies())  # type: ignore[arg-type]
            twin = english.new_page()
            twin.goto(page.url)
            expect(twin.locator("#connection")).to_have_attribute("data-phase", "live")
            take(twin, f"{folder}/{name}-en")
            english.close()

    return shoot


def take(page: Page, path: str) -> None:
    """Four pictures: on the desk and on a phone, light and dark."""
    before = page.viewport_size
    sizes: dict[str, Any] = {"phone": PHONE, "desk": DESKTOP}
    themes: list[Any] = ["dark", "light"]
    for device, theme in itertools.product(sizes, themes):
        page.set_viewport_size(sizes[device])
        page.emulate_media(color_scheme=theme)
        page.screenshot(path=f"{path}-{device}-{theme}.png", animations="disabled")
    if before is not None:
        page.set_viewport_size(before)


@pytest.fixture
def card(page: Page) -> Locator:
    """A finished task of three pictures."""
    card = send(page, "three to look at", size="256x256", steps=4, n=3)
    expect_picture(page, card)
    return card
