"""Values of the composer's fields: pasted, invalid and refused ones."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Shoot
from tests.browser.page_actions import LINES, expect_values, fill_lines

pytestmark = pytest.mark.browser


PARAMETERS = """a heron in ink,
two willows
Negative prompt: blurry
Steps: 12, Sampler: Euler a, CFG scale: 3.5, Seed: {seed}, Size: 768x576, Model hash: abc"""


def paste(page: Page, text: str) -> None:
    page.locator("[name=prompt]").evaluate(
        """(prompt, text) => {
          const clipboardData = new DataTransfer();
          clipboardData.setData("text/plain", text);
          prompt.focus();
          const paste = { clipboardData, bubbles: true, cancelable: true };
          if (prompt.dispatchEvent(new ClipboardEvent("paste", paste))) prompt.setRangeText(text);
        }""",
        text,
    )


def test_pasted_settings_fill_the_fields_or_stay_text(page: Page, shoot: Shoot) -> None:
    page.locator("[name=prompt]").fill("")
    paste(page, PARAMETERS.format(seed=7))

    expect_values(page, prompt="a heron in ink,\ntwo willows", negative_prompt="blurry")
    expect_values(page, steps="12", guidance="3.5", seed="7", width="768", height="576")
    shoot(page, "pasted-settings")

    page.get_by_role("button", name="按文字粘贴").click()
    expect_values(page, prompt=PARAMETERS.format(seed=7), steps="9", seed="")


def test_a_seed_that_is_too_large_is_shown_whole_and_refused(page: Page) -> None:
    large = "156680208700286"
    paste(page, PARAMETERS.format(seed=large))
    expect(page.locator("[name=seed]")).to_have_value(large)
    expect(page.locator("#seed-error")).to_be_visible()

    page.locator("[name=seed]").fill(f" {large}")
    page.locator("#send").click()
    expect(page.locator("[name=seed]")).to_have_value(f" {large}")
    expect(page.locator("#seed-error")).to_be_visible()
    expect(page.locator("article.card")).to_have_count(0)


def test_invalid_values_are_named_and_not_estimated(page: Page, shoot: Shoot) -> None:
    fill_lines(page, [*LINES, "a longer line than others"])
    page.locator("[data-part=counts] label:has([value='2'])").click()
    expect(page.locator("#send")).to_contain_text("生成 8 张图片")
    expect(page.locator("#prompt-count")).to_have_text("4 行，最长一行 25 / 2000")

    page.locator("summary", has=page.locator("[data-of=negative_prompt]")).click()
    page.locator("[name=negative_prompt]").fill("fog")
    expect(page.locator("#negative-idle")).to_contain_text("引导强度为 0 时，反向提示词不起作用")
    page.locator("[name=guidance]").fill("4")
    expect(page.locator("#negative-idle")).to_be_hidden()

    page.locator(".ratio", has=page.locator("[value=free]")).click()
    page.locator("[name=width]").fill("99999")
    page.locator("[name=height]").fill("1000")
    expect(page.locator("[data-part=wait-rest]")).to_have_text("")
    expect(page.locator("[data-part=pace]")).to_have_text("")
    page.locator("#send").click()
    error = page.locator("#size-error")
    expect(error).to_contain_text("宽：须为 16 的倍数，256 至 2048。")
    expect(page.locator("[name=width]")).to_be_focused()
    shoot(page, "nearest-size")
    error.get_by_role("button", name="改为 2048").click()
    expect(page.locator("[name=width]")).to_have_value("2048")
    expect(error).to_contain_text("高：")
    error.get_by_role("button", name="改为 1008").click()
    expect(error).to_be_hidden()
    expect(page.locator("[aria-invalid]")).to_have_count(0)
    expect(page.locator("article.card")).to_have_count(0)
