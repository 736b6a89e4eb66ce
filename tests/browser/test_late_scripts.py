"""Input before the scripts of the page are there."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.accounts import Account
from tests.browser.conftest import Shoot, SignIn
from tests.browser.gallery_rows import create_gallery
from tests.browser.gallery_visits import FAILED
from tests.browser.page_actions import card_of, expect_live, expect_status, expect_values
from tests.studio import Studio

pytestmark = pytest.mark.browser


def open_without_scripts(context: BrowserContext) -> tuple[Page, list[Route]]:
    """The studio whose scripts come when the routes continue."""
    page = context.new_page()
    held: list[Route] = []
    page.route("**/pages/studio*.js", lambda route: held.append(route))
    page.goto("/", wait_until="commit")
    return page, held


def test_input_before_the_scripts_load_is_sent_once(context: BrowserContext) -> None:
    page, held = open_without_scripts(context)
    page.locator("[name=prompt]").fill("faster than the scripts")
    page.locator("[name=prompt]").press("Control+Enter")
    page.locator("#send").click()
    expect(page.locator("#send")).to_have_attribute("aria-busy", "true")
    assert page.evaluate("location.search") == ""

    for route in held:
        route.continue_()

    expect(card_of(page, "faster than the scripts")).to_be_visible()
    expect(page.locator("article.card")).to_have_count(1)


def test_what_was_pressed_is_sent_though_the_form_changes(page: Page) -> None:
    """Its part of the script loads slowly; meanwhile the next prompt is written."""
    held: list[Route] = []
    page.route("**/composer-errors*.js", lambda route: held.append(route))
    page.locator("[name=prompt]").fill("pressed first")
    page.locator("[name=steps]").fill("5")
    page.locator("#send").click()
    page.locator("[name=prompt]").fill("pressed second")
    page.locator("[name=steps]").fill("3")
    page.locator("#send").click()

    for route in held:
        route.continue_()

    for prompt, steps in (("pressed first", "5"), ("pressed second", "3")):
        card = card_of(page, prompt)
        expect_status(card, "completed")
        expect(card.locator("[data-part=meta]")).to_contain_text(f"{steps} 步")


def test_a_press_in_the_gallery_before_its_script_is_not_lost(
    sign_in: SignIn, studio: Studio, person: Account
) -> None:
    create_gallery(studio, {person.name: [{"prompt": "stays"}, {"prompt": "goes", **FAILED}]})
    page = sign_in(person, studio.url).new_page()
    held: list[Route] = []
    page.route("**/pages/gallery*.js", lambda route: held.append(route))
    page.goto("/gallery/", wait_until="commit")
    gone = page.locator(".tile", has_text="goes")
    gone.locator("[data-action=delete]").click()
    expect(gone.locator("[data-action=delete]")).to_have_attribute("aria-busy", "true")

    for route in held:
        route.continue_()

    expect(gone).to_be_hidden()
    expect(page.locator(".tile", has_text="stays")).to_be_visible()


def test_on_a_phone_the_form_works_without_scripts(phone: BrowserContext, shoot: Shoot) -> None:
    page, held = open_without_scripts(phone)
    page.locator("[data-sheet] summary").tap()
    page.locator("[name=prompt]").fill("typed on a slow line")
    page.locator(".fold summary").tap()
    page.locator("[name=negative_prompt]").fill("nothing blurred")
    page.locator("[data-part=counts] label:has([value='2'])").tap()
    page.locator(".ratio", has=page.locator("[value='3:4']")).tap()
    page.locator("[name=steps]").fill("7")
    page.locator("[data-mirror=guidance]").fill("4")
    page.locator("[data-dice]").tap()
    page.locator("[data-lock]").tap()
    shoot(page, "sheet-without-scripts")
    page.locator("[data-sheet] summary").tap()
    expect(page.locator("[name=steps]")).to_be_hidden()
    page.locator("[data-sheet] summary").tap()

    for route in held:
        route.continue_()

    expect_live(page)
    expect(page.locator("[name=prompt]")).to_be_focused()
    expect_values(page, prompt="typed on a slow line", negative_prompt="nothing blurred")
    expect(page.locator("[name=n][value='2']")).to_be_checked()
    expect(page.locator("[name=ratio][value='3:4']")).to_be_checked()
    expect_values(page, steps="7", guidance="4")
    expect(page.locator("[name=seed]")).to_have_value(re.compile(r"^\d+$"))
    expect(page.locator("[data-lock]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-lock]")).not_to_have_attribute("aria-busy", "true")
    page.locator("#send").tap()
    expect(page.locator("[name=steps]")).to_be_hidden()
    expect(card_of(page, "typed on a slow line")).to_have_attribute("data-pictures", "2")
