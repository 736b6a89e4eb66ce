"""The picture viewer: open, move, zoom and go back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.accounts import Account
from tests.browser.conftest import Shoot, SignIn
from tests.browser.page_actions import card_of, expect_picture, open_studio, send
from tests.browser.viewer import PICTURES, expect_shown, key_shown, open_viewer, viewer_of
from tests.studio import Studio

pytestmark = pytest.mark.browser

NAMES = {"zh-CN": ("关于这张图", "下一张"), "en-GB": ("About this picture", "Next picture")}


@pytest.mark.parametrize("locale", list(NAMES))
def test_keys_lead_through_the_pictures_and_back_to_where_it_began(
    sign_in: SignIn, studio: Studio, person: Account, locale: str, shoot: Shoot
) -> None:
    page = open_studio(sign_in(person, studio.url, locale=locale))
    page.emulate_media(reduced_motion="no-preference")
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


def test_zoom_by_key_wheel_and_double_click_shows_the_percent(page: Page, card: Locator) -> None:
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


def test_fingers_turn_and_close(phone: BrowserContext) -> None:
    page = open_studio(phone)
    page.emulate_media(reduced_motion="no-preference")
    page.locator("[data-sheet] summary").tap()
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
