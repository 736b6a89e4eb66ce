"""The composer: drafts, keys, the sheet on phones, language and theme."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.accounts import Account
from tests.browser.conftest import PHONE, Shoot, SignIn
from tests.browser.layout import beyond_the_window
from tests.browser.page_actions import (
    HELD_STEPS,
    card_of,
    expect_live,
    expect_status,
    expect_values,
    fill_lines,
    open_studio,
    send,
    task_id_of,
)
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


LINES = ["one lantern", "two lanterns", "three lanterns"]


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


def test_all_that_waits_is_cancelled_with_two_presses(page: Page) -> None:
    fill_lines(page, LINES, steps=HELD_STEPS)
    page.locator("#send").click()
    expect_status(card_of(page, LINES[0]), "running")

    page.set_viewport_size({"width": 390, "height": 844})
    button = page.locator("#cancel-waiting")
    words = button.locator("span")
    expect(words).to_have_css("width", "1px")  # a narrow window has room for the icon alone

    button.click()
    expect(words).to_have_text("取消这 2 个排队任务？")
    expect(button).to_have_attribute("data-asking", "")
    expect(words).to_have_css("clip-path", "none")
    expect(words).to_be_in_viewport(ratio=0.9)
    button.click()

    for line in LINES[1:]:
        expect_status(card_of(page, line), "cancelled")
    expect_status(card_of(page, LINES[0]), "running")
    expect(button).to_be_hidden()


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


@pytest.fixture
def phone(sign_in: SignIn, studio: Studio, person: Account) -> BrowserContext:
    return sign_in(person, studio.url, viewport=PHONE, has_touch=True, is_mobile=True)


def test_on_a_phone_the_sheet_opens_sends_and_closes(phone: BrowserContext) -> None:
    page = open_studio(phone)
    expect(page.locator("[name=steps]")).to_be_hidden()

    page.locator("[data-sheet] summary").tap()
    expect(page.locator("[name=prompt]")).to_be_focused()
    assert page.locator("#feed").evaluate("feed => feed.inert")
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
