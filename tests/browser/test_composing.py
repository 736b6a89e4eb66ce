"""Writing a prompt: drafts, keys, the phone's sheet, language and theme."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import PHONE, Shoot, SignIn
from tests.browser.pages import card_of, expect_live, expect_status, send
from tests.browser.people import Person
from tests.studio import Studio

pytestmark = pytest.mark.browser

FOCUSED = (
    "document.activeElement.id || document.activeElement.name || document.activeElement.className"
)


def test_a_prompt_that_was_not_sent_survives_a_reload(page: Page) -> None:
    page.locator("[name=prompt]").fill("写了一半的句子")
    page.locator("[name=steps]").fill("17")

    page.reload()

    expect(page.locator("[name=prompt]")).to_have_value("写了一半的句子")
    expect(page.locator("[name=steps]")).to_have_value("17")
    expect(page.locator("[data-part=count]").first).to_have_text("7")
    expect(page.locator("article.card")).to_have_count(0)


def test_an_empty_prompt_is_told_at_its_field_and_nothing_is_sent(page: Page, shoot: Shoot) -> None:
    page.locator("[name=prompt]").fill("  ")
    page.locator("#send").click()

    expect(page.locator("#prompt-error")).to_be_visible()
    expect(page.locator("[name=prompt]")).to_be_focused()
    expect(page.locator("[name=prompt]")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("article.card")).to_have_count(0)
    shoot(page, "prompt-empty")


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    page.locator("body").press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    for _key in range(30):
        if page.evaluate("document.activeElement.name") == "prompt":
            break
        page.keyboard.press("Tab")
        assert_focus_is_visible(page)
    expect(page.locator("[name=prompt]")).to_be_focused()

    page.keyboard.press("Control+A")
    page.keyboard.type("by keys alone")
    page.keyboard.press("Control+Enter")

    card = card_of(page, "by keys alone")
    expect(card).to_be_visible()
    expect(page.locator("[name=prompt]")).to_be_focused()
    for _key in range(60):
        if page.evaluate("document.activeElement.dataset.action") == "cancel":
            break
        page.keyboard.press("Tab")
        assert_focus_is_visible(page)
    page.keyboard.press("Enter")
    expect_status(card, "cancelled")


def assert_focus_is_visible(page: Page) -> None:
    """The focused element, or the label or frame it stands for, wears the focus ring."""
    visible, focused = page.evaluate(
        """() => {
          const at = document.activeElement;
          const around = [at, at.closest("label"), at.nextElementSibling, at.parentElement];
          const ring = ({ outlineStyle, outlineWidth, boxShadow }) =>
            (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none";
          const visible = around.some((each) => each && ring(getComputedStyle(each)));
          return [visible, at.outerHTML.slice(0, 200)];
        }"""
    )
    assert visible or focused.startswith("<body"), focused


def test_the_language_is_switched_and_stays(page: Page) -> None:
    card = send(page, "speaks both", steps=3)
    expect_status(card, "completed")
    expect(page.locator("#send")).to_contain_text("开始生成图片")

    page.locator(".bar__wide").get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#send")).to_contain_text("Draw pictures")
    expect(card.locator("[data-part=headline]")).to_contain_text("Done · waited")
    expect(page.locator("#connection [data-part=label]")).to_have_text("Live")
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")

    page.locator(".bar__wide").get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(card.locator("[data-part=headline]")).to_contain_text("生成完成 · 等")


def test_the_theme_is_switched_and_stays(page: Page) -> None:
    def background() -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    page.emulate_media(color_scheme="light")
    light = background()
    page.locator("button.bar__wide[data-theme-toggle]").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert background() != light


@pytest.fixture
def phone(sign_in: SignIn, studio: Studio, person: Person) -> BrowserContext:
    return sign_in(person, studio.url, viewport=PHONE, has_touch=True, is_mobile=True)


def test_on_a_phone_the_sheet_opens_sends_and_closes(phone: BrowserContext) -> None:
    page = phone.new_page()
    page.goto("/")
    expect_live(page)
    expect(page.locator("[name=steps]")).to_be_hidden()

    page.locator("[data-sheet-open]").tap()
    expect(page.locator("[name=prompt]")).to_be_focused()
    expect(page.locator("[name=steps]")).to_be_visible()
    page.locator("[name=prompt]").fill("from a phone")
    page.locator("[name=steps]").fill("3")
    page.locator("#send").tap()

    expect(page.locator("[name=steps]")).to_be_hidden()
    expect_status(card_of(page, "from a phone"), "completed")


def test_no_width_scrolls_sideways(page: Page) -> None:
    card = send(page, "一句没有空格" * 12 + "andaverylongwordwithoutanyspaces" * 4, steps=50)
    expect_status(card, "running")
    for path in (card.locator("[data-part=link]").get_attribute("href"), "/"):
        page.goto(path or "")
        expect_live(page)
        for width in (320, 390, 768, 1024, 1200, 1440, 2200):
            page.set_viewport_size({"width": width, "height": 900})
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, path
