"""The composer: drafts, keys, the sheet on phones, variations and the wait before a submission."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.accounts import Account
from tests.browser.conftest import Shoot, SignIn
from tests.browser.layout import beyond_the_window
from tests.browser.page_actions import (
    LINES,
    card_of,
    expect_live,
    expect_status,
    expect_values,
    fill_lines,
    open_studio,
    send,
    task_id_of,
)
from tests.demo_faults import HELD_STEPS
from tests.studio import Studio

pytestmark = pytest.mark.browser


def test_a_prompt_that_was_not_sent_survives_a_reload(page: Page) -> None:
    page.locator("[name=prompt]").fill("写了一半的句子")
    page.locator("[name=steps]").fill("17")

    page.reload()

    expect_values(page, prompt="写了一半的句子", steps="17")
    expect(page.locator("[data-part=count]").first).to_have_text("7")
    expect(page.locator("article.card")).to_have_count(0)


def test_an_empty_prompt_is_an_error_at_its_field(page: Page, shoot: Shoot) -> None:
    page.locator("[name=prompt]").fill("  ")
    page.locator("#send").click()

    expect(page.locator("#prompt-error")).to_be_visible()
    expect(page.locator("[name=prompt]")).to_be_focused()
    expect(page.locator("[name=prompt]")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("article.card")).to_have_count(0)
    shoot(page, "prompt-empty")


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    # long enough to be cancelled after as many keys as it takes
    page.locator("[data-part=scales] label", has=page.locator("[value='1024']")).click()
    page.locator("[name=steps]").fill(str(HELD_STEPS))
    page.reload()
    expect_live(page)
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


def test_the_wait_is_shown_before_a_submission(page: Page, shoot: Shoot) -> None:
    lead, rest = page.locator("[data-part=wait-lead]"), page.locator("[data-part=wait-rest]")
    expect(lead).to_have_text("不用排队，立即开始")

    fill_lines(page, LINES, steps=HELD_STEPS)
    page.locator("#send").click()

    expect(lead).to_contain_text("预计等待约")
    expect(page.locator("[data-part=wait-basis]")).to_be_visible()
    expect(rest).to_have_text("排队第 3 位")
    shoot(page, "busy-line")
    page.reload()
    expect(rest).to_have_text("排队第 3 位")


def test_drafts_come_first(page: Page, sign_in: SignIn, studio: Studio, person: Account) -> None:
    send(page, "settings are mine", steps=3, n=2)
    expect(card_of(page, "settings are mine")).to_be_visible()
    page.locator("[name=steps]").fill("5")
    page.reload()
    expect(page.locator("[name=steps]")).to_have_value("5")

    other = sign_in(person, studio.url).new_page()
    other.goto("/")

    expect(other.locator("[name=steps]")).to_have_value("3")
    expect(other.locator("[name=n][value='2']")).to_be_checked()


def test_a_variation_names_its_parent_and_marks_changes(page: Page, shoot: Shoot) -> None:
    card = send(page, "to be varied", steps=2, size="256x256")
    expect_status(card, "completed")
    parent = task_id_of(card)
    page.goto(f"/?from={parent}:1")
    expect_live(page)
    assert page.url.endswith("/")
    expect(page.locator("[data-part=origin]")).to_be_visible()
    changes = page.locator("[data-part=origin-changes]")
    expect(changes).to_have_text("还没改动 · 将换一个新种子")
    expect(page.locator("[data-lock]")).to_have_attribute("aria-pressed", "true")
    seed = page.locator("[name=seed]").input_value()

    page.locator("[name=prompt]").fill("to be varied at night")
    expect(changes).to_have_text("已改：提示词")
    expect(page.locator("[data-of=prompt]")).to_have_attribute("data-changed", "")
    shoot(page, "vary")
    page.reload()
    expect(page.locator("[name=prompt]")).to_have_value("to be varied at night")
    expect(page.locator("[data-part=origin]")).to_be_visible()
    expect_live(page)
    page.locator("#send").click()

    varied = card_of(page, "to be varied at night")
    expect(varied.locator("[data-part=meta]")).to_contain_text(seed)
    expect(page.locator("[data-part=origin]")).to_be_visible()
    page.locator("[data-dismiss]").click()
    expect(page.locator("[data-part=origin]")).to_be_hidden()
    page.reload()
    data = page.locator("#studio-state").evaluate("script => JSON.parse(script.textContent)")
    parents = {each["id"]: each["task"].get("parent") for each in data["tasks"]}
    assert parents[task_id_of(varied)] == parent


def test_on_a_phone_the_sheet_opens_sends_and_closes(phone: BrowserContext) -> None:
    page = open_studio(phone)
    expect(page.locator("[name=steps]")).to_be_hidden()

    page.locator("[data-sheet] summary").tap()
    expect(page.locator("[name=prompt]")).to_be_focused()
    assert page.locator("#task-list").evaluate("list => list.inert")
    page.keyboard.press("Escape")
    expect(page.locator("[data-sheet] summary")).to_be_focused()
    expect(page.locator("[name=steps]")).to_be_hidden()
    page.locator("[data-sheet] summary").tap()
    expect(page.locator("[name=steps]")).to_be_visible()
    page.locator("[name=prompt]").fill("from a phone")
    page.locator("[name=steps]").fill("3")
    page.locator("#send").tap()

    expect(page.locator("[name=steps]")).to_be_hidden()
    expect_status(card_of(page, "from a phone"), "completed")


def test_no_width_scrolls_sideways(page: Page) -> None:
    card = send(
        page, "一句没有空格" * 12 + "andaverylongwordwithoutanyspaces" * 4, steps=HELD_STEPS
    )
    expect_status(card, "running")
    for path in (card.locator("[data-part=link]").get_attribute("href"), "/"):
        page.goto(path or "")
        expect_live(page)
        for width in (320, 390, 768, 1024, 1200, 1440, 2200):
            page.set_viewport_size({"width": width, "height": 900})
            assert beyond_the_window(page) == [], f"{path} at {width}"
