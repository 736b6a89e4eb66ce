"""Prompts of several lines: one task for each, or one for all."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Shoot
from tests.browser.page_actions import LINES, card_of, expect_status, fill_lines
from tests.demo_faults import HELD_STEPS

pytestmark = pytest.mark.browser


def test_each_prompt_line_becomes_one_task_despite_more_clicks(page: Page, shoot: Shoot) -> None:
    fill_lines(page, [*LINES, "", "  "], steps=2)
    expect(page.locator("#send")).to_contain_text("生成 3 张图片")
    shoot(page, "three-lines")

    page.locator("#send").dblclick()

    for line in LINES:
        expect(card_of(page, line)).to_have_count(1)
    expect(page.locator("article.card")).to_have_count(3)


def test_several_lines_are_one_prompt_by_default(page: Page) -> None:
    page.locator("[name=prompt]").fill("\n".join(LINES))
    expect(page.locator("[name=split][value=one]")).to_be_checked()

    page.locator("#send").click()

    expect(page.locator("article.card")).to_have_count(1)
    expect(page.locator(".card__prompt")).to_contain_text("two lanterns")
    page.locator("[data-part=split] label", has=page.locator("[value=lines]")).click()
    expect(page.locator("[data-part=draft]")).to_have_text("草稿已保存")
    page.reload()
    expect(page.locator("[name=split][value=lines]")).to_be_checked()


def test_more_than_fifty_lines_are_refused_before_anything_is_sent(page: Page) -> None:
    fill_lines(page, [f"line {n}" for n in range(51)])
    page.locator("#send").click()

    expect(page.locator("#prompt-error")).to_contain_text("共 51 行，一次最多提交 50 行")
    expect(page.locator("article.card")).to_have_count(0)


def test_a_refused_prompt_line_comes_back(page: Page) -> None:
    bad = "not storable \0 this one"
    fill_lines(page, LINES, steps=2)
    page.evaluate(
        """text => {
          const prompt = document.querySelector("[name=prompt]");
          prompt.value = text;
          prompt.dispatchEvent(new Event("input", { bubbles: true }));
        }""",
        f"{LINES[0]}\n{bad}\n{LINES[1]}",
    )
    page.locator("#send").click()

    expect(card_of(page, LINES[0])).to_be_visible()
    expect(card_of(page, LINES[1])).to_be_visible()
    expect(page.locator("#prompt-error")).to_contain_text("1 行没有被接受")
    expect(page.locator("[name=prompt]")).to_have_value(bad)
    expect(page.locator("article.card")).to_have_count(2)


def test_all_that_waits_is_cancelled_with_two_presses(page: Page) -> None:
    fill_lines(page, LINES, steps=HELD_STEPS)
    page.locator("#send").click()
    expect_status(card_of(page, LINES[0]), "running")

    # it asks for 4 s, which pass between two presses on a busy machine
    page.clock.set_fixed_time(page.evaluate("Date.now()"))
    page.set_viewport_size({"width": 390, "height": 844})
    button = page.locator("#cancel-waiting")
    words = button.locator("span")
    expect(words).to_have_text("取消所有排队")

    button.click()
    expect(words).to_have_text("取消这 2 个排队任务？")
    expect(button).to_have_attribute("data-asking", "")
    expect(words).to_be_in_viewport(ratio=0.9)
    button.click()

    for line in LINES[1:]:
        expect_status(card_of(page, line), "cancelled")
    expect_status(card_of(page, LINES[0]), "running")
    expect(button).to_be_hidden()
