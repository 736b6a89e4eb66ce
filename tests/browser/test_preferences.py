"""Language and theme are switched and stay."""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accounts import Account
from tests.browser.chromium_restart import FLAGS, PROGRAM, Chromium
from tests.browser.conftest import SignIn
from tests.browser.page_actions import expect_status, send
from tests.studio import Studio

pytestmark = pytest.mark.browser


def test_the_language_is_switched_and_stays(page: Page) -> None:
    card = send(page, "speaks both", steps=3, size="256x256")
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


def test_the_theme_is_switched_and_follows_the_user(
    page: Page, sign_in: SignIn, person: Account, studio: Studio
) -> None:
    def background() -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    page.emulate_media(color_scheme="light")
    light = background()
    with page.expect_response("**/accounts/theme/"):
        page.locator("button.bar__wide[data-theme-toggle]").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert background() != light
    assert page.evaluate("localStorage.getItem('studio.theme')") is None

    elsewhere = sign_in(person, studio.url, java_script_enabled=False).new_page()
    elsewhere.goto("/gallery/")
    expect(elsewhere.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_time_zone_of_the_browser_is_offered(
    sign_in: SignIn, person: Account, studio: Studio
) -> None:
    page = sign_in(person, studio.url, timezone_id="Pacific/Kiritimati").new_page()
    page.goto("/accounts/profile/")
    page.get_by_role("button", name="使用这个浏览器的时区").click()
    expect(page.locator("[name=time_zone]")).to_have_value("Pacific/Kiritimati")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("status").first).to_have_text("已保存。")
    expect(page.locator("html")).to_have_attribute("data-zone", "Pacific/Kiritimati")


def test_pages_from_memory_and_other_tabs_follow_the_theme(
    chromium_process: Chromium, person: Account, studio: Studio
) -> None:
    browser = chromium_process.playwright.chromium.launch(
        executable_path=PROGRAM,
        args=FLAGS,
        env={**os.environ, "CHROMIUM_LOG": str(chromium_process.log)},
        ignore_default_args=["--disable-back-forward-cache"],
    )
    context = browser.new_context(base_url=studio.url, color_scheme="light")
    cookie = {"name": person.cookie_name, "value": person.session_key, "url": studio.url}
    context.add_cookies([cookie])  # type: ignore[list-item]
    context.add_init_script("addEventListener('pageshow', (e) => (window.persisted = e.persisted))")
    page, other = context.new_page(), context.new_page()
    other.goto("/trash/")
    page.goto("/gallery/")
    page.goto("/trash/")

    page.locator("button.bar__wide[data-theme-toggle]").click()
    expect(other.locator("html")).to_have_attribute("data-theme", "dark")
    page.go_back()

    expect(page).to_have_url(f"{studio.url}/gallery/")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    browser.close()


def test_a_page_that_was_rendered_before_the_choice_shows_it(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    page.route("**/accounts/theme/", lambda route: route.abort())
    page.locator("button.bar__wide[data-theme-toggle]").click()

    page.goto("/gallery/")

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
