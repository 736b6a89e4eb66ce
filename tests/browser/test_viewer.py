"""Looking at pictures: opening, turning, zooming, keeping, deleting, and the way back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import PHONE, Shoot, SignIn
from tests.browser.pages import card_of, expect_live, expect_picture, send, task_id_of
from tests.browser.people import Person
from tests.studio import Studio

pytestmark = pytest.mark.browser

PICTURES = ".card__pictures a[data-picture-key]"
NAMES = {"zh-CN": ("关于这张图", "下一张"), "en-GB": ("About this picture", "Next picture")}


@pytest.fixture
def card(page: Page) -> Locator:
    """A finished task of three pictures."""
    card = send(page, "three to look at", size="256x256", steps=4, n=3)
    expect_picture(page, card)
    return card


def viewer_of(page: Page) -> Locator:
    return page.locator("dialog.viewer")


def open_viewer(page: Page, number: int = 1) -> Locator:
    """The viewer, on the picture with this number, as soon as all of it is there."""
    page.locator(PICTURES).nth(number - 1).click()
    expect_shown(page, number)
    return viewer_of(page)


def expect_shown(page: Page, number: int, of: int = 3) -> None:
    viewer = viewer_of(page)
    expect(viewer).to_be_visible()
    expect(viewer.locator("[data-part=counter]")).to_have_text(f"{number} / {of}")
    expect(viewer.locator("[data-part=panel][data-known]")).to_have_count(1)
    picture = viewer.locator(".viewer__picture img").element_handle()
    page.wait_for_function("image => image.isConnected && image.naturalWidth > 0", arg=picture)


def key_shown(page: Page) -> str:
    return page.url.partition("#picture=")[2]


@pytest.mark.parametrize("locale", list(NAMES))
def test_keys_lead_through_the_pictures_and_back_to_where_it_began(
    sign_in: SignIn, studio: Studio, person: Person, locale: str, shoot: Shoot
) -> None:
    page = sign_in(person, studio.url, locale=locale).new_page()
    page.goto("/")
    expect_live(page)
    expect_picture(page, send(page, "by keys", size="256x256", steps=4, n=3))
    about, following = NAMES[locale]

    page.locator(PICTURES).first.focus()
    page.keyboard.press("Enter")
    expect_shown(page, 1)
    shoot(page, f"viewer-{locale}")
    viewer = viewer_of(page)
    expect(viewer.get_by_role("region", name=about)).to_contain_text("256 × 256")
    page.keyboard.press("ArrowRight")
    expect_shown(page, 2)
    viewer.get_by_role("button", name=following).click()
    expect_shown(page, 3)
    expect(viewer.locator("[data-part=previous]")).to_be_focused()
    page.keyboard.press("Home")
    expect_shown(page, 1)
    expect(viewer.get_by_role("status")).to_contain_text("1")

    page.keyboard.press("Escape")

    expect(viewer).to_be_hidden()
    expect(page.locator(PICTURES).first).to_be_focused()
    expect(page).to_have_url(re.compile("^[^#]+$"))


def test_back_closes_forward_opens_and_a_reload_shows_the_same(page: Page, card: Locator) -> None:
    open_viewer(page)
    page.keyboard.press("ArrowRight")
    expect_shown(page, 2)
    shown = key_shown(page)

    page.reload()
    expect_shown(page, 2)
    assert key_shown(page) == shown
    page.go_back()
    expect(viewer_of(page)).to_be_hidden()
    page.go_forward()
    expect_shown(page, 2)
    page.go_back()
    expect(viewer_of(page)).to_be_hidden()


def test_zoom_by_key_wheel_and_two_clicks_and_the_percent_says_so(
    page: Page, card: Locator
) -> None:
    viewer = open_viewer(page)
    percent = viewer.locator("[data-part=zoomed]")
    stage = viewer.locator("[data-part=stage]")
    expect(stage).to_have_attribute("data-zoom", "fit")
    fitted = percent.inner_text()

    page.keyboard.press("z")
    expect(percent).to_have_text("400%")
    expect(stage).to_have_attribute("data-larger", "")
    page.keyboard.press("0")
    expect(percent).to_have_text(fitted)
    stage.dblclick()
    expect(percent).to_have_text("400%")
    page.keyboard.press("-")
    expect(percent).to_have_text("286%")
    stage.hover()
    page.mouse.wheel(0, -400)
    expect(percent).to_have_text("521%")
    before = stage.locator("figure").bounding_box()
    page.mouse.down()
    page.mouse.move(300, 300, steps=4)
    page.mouse.up()
    assert stage.locator("figure").bounding_box() != before


def test_another_opening_begins_fitted_again(page: Page, card: Locator) -> None:
    viewer = open_viewer(page)
    fitted = viewer.locator("[data-part=zoomed]").inner_text()
    for number in (1, 2):
        page.keyboard.press("z")
        page.keyboard.press("Escape")
        expect(viewer).to_be_hidden()
        open_viewer(page, number)
        expect(viewer.locator("[data-part=zoomed]")).to_have_text(fitted)


def test_keys_of_one_character_can_be_switched_off_for_good(page: Page, card: Locator) -> None:
    viewer = open_viewer(page)
    viewer.locator("[data-part=shortcuts]").uncheck()
    page.reload()
    expect_shown(page, 1)

    page.keyboard.press("z")
    page.keyboard.press("ArrowRight")

    expect_shown(page, 2)
    expect(viewer.locator("[data-part=stage]")).to_have_attribute("data-zoom", "fit")


def test_a_favourite_shows_on_the_card_and_after_a_reload(page: Page, card: Locator) -> None:
    viewer = open_viewer(page, 2)
    heart = viewer.locator("[data-part=heart]")
    with page.expect_response("**/gallery/favourite/"):
        page.keyboard.press("f")
    expect(heart).to_have_attribute("aria-pressed", "true")
    expect(card.locator(".frame__heart")).to_have_count(1)

    page.reload()

    expect_shown(page, 2)
    expect(heart).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    second = page.locator(".card__pictures .frame").nth(1)
    expect(second.locator(".frame__heart")).to_have_count(1)
    expect(page.locator("#recent .frame__heart")).to_have_count(1)


def test_a_deleted_picture_gives_way_to_the_next_and_comes_back(page: Page, card: Locator) -> None:
    open_viewer(page, 2)
    gone = key_shown(page)
    page.keyboard.press("Delete")
    expect_shown(page, 2, of=2)
    assert key_shown(page) != gone
    expect(page.locator(PICTURES)).to_have_count(2)

    page.keyboard.press("u")

    expect_shown(page, 2)
    assert key_shown(page) == gone
    page.keyboard.press("Escape")
    expect(page.locator(PICTURES)).to_have_count(3)


def test_a_card_without_pictures_leaves_and_undo_brings_it_back(page: Page, card: Locator) -> None:
    open_viewer(page)
    for left in (2, 1):
        page.keyboard.press("Delete")
        expect_shown(page, 1, of=left)
    page.keyboard.press("Delete")
    expect(viewer_of(page)).to_be_hidden()
    expect(page.locator("article.card")).to_have_count(0)

    page.locator("#alerts [data-part=action]").last.click()

    expect(page.locator("article.card")).to_have_count(1)
    expect(page.locator(PICTURES)).to_have_count(1)
    page.reload()
    expect(page.locator(PICTURES)).to_have_count(1)


def test_the_download_is_the_file_with_its_parameters(
    page: Page, card: Locator, studio: Studio, tmp_path: Path
) -> None:
    viewer = open_viewer(page)
    with page.expect_download() as started:
        page.keyboard.press("d")
    saved = tmp_path / "picture"
    started.value.save_as(saved)

    url = page.locator(PICTURES).first.get_attribute("href")
    assert url
    assert saved.read_bytes() == page.request.get(url).body()
    assert started.value.suggested_filename.endswith((".png", ".jpg"))
    told = viewer.locator("[data-part=parameters]").inner_text()
    assert told.startswith("three to look at\nSteps: 4,")
    assert any(told.encode(code) in saved.read_bytes() for code in ("utf-8", "utf-16-be"))


def test_a_picture_that_is_gone_and_one_that_cannot_come_are_told_apart(
    page: Page, card: Locator, context: BrowserContext, shoot: Shoot
) -> None:
    task = task_id_of(card)
    page.goto(f"/#picture={task}:4")
    page.reload()
    trouble = viewer_of(page).locator("[data-part=trouble]")
    expect(trouble).to_have_attribute("data-trouble", "gone")
    page.keyboard.press("Escape")

    page.route(re.compile(r"/pictures/[^/]+/2/$"), lambda route: route.abort())
    page.locator(PICTURES).nth(1).click()
    expect(trouble).to_have_attribute("data-trouble", "unavailable")
    shoot(page, "viewer-trouble")
    page.unroute(re.compile(r"/pictures/[^/]+/2/$"))
    trouble.locator("button").click()
    expect(trouble).to_be_hidden()


def test_fingers_turn_and_close(sign_in: SignIn, studio: Studio, person: Person) -> None:
    context = sign_in(person, studio.url, viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto("/")
    expect_live(page)
    page.evaluate("document.querySelector('#composer').dataset.open = ''")
    card = send(page, "by finger", size="256x256", steps=4, n=3)
    expect_picture(page, card_of(page, "by finger"))
    card.locator(PICTURES).first.scroll_into_view_if_needed()
    card.locator(PICTURES).first.tap()
    expect_shown(page, 1)

    fingers = Fingers(page)
    fingers.drag((320, 400), (80, 410))
    expect_shown(page, 2)
    fingers.drag((80, 400), (320, 410))
    expect_shown(page, 1)
    fingers.pinch(60, 180)
    expect(viewer_of(page).locator("[data-part=stage]")).to_have_attribute("data-zoom", "own")
    fingers.pinch(180, 20)
    # a touch this soon after a pinch is no click to the browser: people's fingers are slower
    page.wait_for_timeout(400)
    viewer_of(page).locator("[data-part=about]").tap()
    panel = viewer_of(page).locator("[data-part=panel]")
    expect(panel).to_be_in_viewport()
    viewer_of(page).locator("[data-part=panel-close]").tap()
    expect(panel).to_be_hidden()
    page.keyboard.press("0")
    fingers.drag((200, 300), (205, 560))
    expect(viewer_of(page)).to_be_hidden()


class Fingers:
    """Touches of a page; positions in pixels of its window."""

    def __init__(self, page: Page) -> None:
        self.session = page.context.new_cdp_session(page)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self.touch("touchStart", start)
        for part in (0.3, 0.6, 1):
            x, y = (a + (b - a) * part for a, b in zip(start, end, strict=True))
            self.touch("touchMove", (x, y))
        self.touch("touchEnd")

    def pinch(self, before: float, after: float) -> None:
        """Two fingers that much apart, around the middle of a phone."""
        self.touch("touchStart", (195 - before / 2, 400), (195 + before / 2, 400))
        for apart in (before + (after - before) / 2, after):
            self.touch("touchMove", (195 - apart / 2, 400), (195 + apart / 2, 400))
        self.touch("touchEnd")

    def touch(self, kind: str, *points: tuple[float, float]) -> None:
        places = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})


def test_what_can_be_done_with_a_finished_card(page: Page, card: Locator) -> None:
    card.locator(".card__more summary").click()
    card.locator("[data-action=delete]").click()
    expect(page.locator("article.card")).to_have_count(0)
    page.locator("#alerts [data-part=action]").click()
    expect(page.locator(PICTURES)).to_have_count(3)

    with page.expect_download() as started:
        card.locator("[data-action=download]").click()
    assert started.value.suggested_filename.endswith(".zip")
    expect(card.locator("[data-part=vary]")).to_have_attribute("href", re.compile(r"/\?from=.+:1$"))
    card.locator("[data-action=again]").click()
    expect(page.locator("article.card")).to_have_count(2)
