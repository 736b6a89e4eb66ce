"""The gallery: search, filters, older pictures, comparison and retries."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.browser.conftest import Shoot
from tests.browser.gallery_visits import MANY, Visit, bar, box, tiles
from tests.browser.layout import beyond_the_window

pytestmark = pytest.mark.browser


def test_pictures_are_found_by_words_and_filters(visit: Visit, shoot: Shoot) -> None:
    page = visit("filters")
    expect(page.locator(".day__title")).to_have_text(re.compile(r"今天.*2 张"))

    page.keyboard.press("/")
    page.keyboard.type("朱红")
    expect(tiles(page)).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?q="))
    expect(page.locator("[name=q]")).to_be_focused()

    page.locator("select[name=status]").select_option("failed")
    expect(page.locator(".nothing__title:visible")).to_have_text("没有符合的作品")
    shoot(page, "gallery-nothing")
    page.locator("[data-clear='status']").click()
    expect(tiles(page)).to_have_count(1)
    page.get_by_role("search").get_by_text("只看收藏").click()
    expect(page).to_have_url(re.compile("favourite=1"))
    expect(tiles(page)).to_have_count(1)

    for _step in range(4):
        page.go_back()
    expect(tiles(page)).to_have_count(3)
    expect(page.locator("[name=q]")).to_have_value("")


def test_more_comes_while_scrolling_and_back_is_the_same_place(visit: Visit) -> None:
    page = visit("scroller", locale="en-GB")
    expect(tiles(page)).to_have_count(60)

    page.mouse.wheel(0, 100_000)
    expect(tiles(page)).to_have_count(120)
    page.mouse.wheel(0, 100_000)
    expect(tiles(page)).to_have_count(MANY)
    expect(page.locator("[data-more]")).to_have_count(0)
    days = page.locator(".day").evaluate_all("days => days.map((day) => day.dataset.day)")
    assert days == sorted(set(days), reverse=True)

    place = "() => document.querySelectorAll('.tile')[100]?.getBoundingClientRect().top"
    page.locator(".tile").nth(100).scroll_into_view_if_needed()
    before = page.evaluate(place)
    # a real click would first scroll what sticks at the top into its scroll padding
    page.get_by_role("link", name="Studio", exact=True).dispatch_event("click")
    expect(page).to_have_url(re.compile(r"/$"))
    page.go_back()
    page.wait_for_function(f"top => Math.abs(({place})() - top) < 4", arg=before)


def test_a_failed_task_is_retried_and_its_picture_appears(visit: Visit, shoot: Shoot) -> None:
    page = visit("retrier")
    failed = page.locator(".tile[data-status=failed]")
    expect(failed).to_contain_text("失败于第 5 步")
    expect(failed).to_contain_text("模型在作画时出错")
    shoot(page, "gallery")

    failed.get_by_role("button", name="重试").click()
    expect(page.locator(".toast")).to_contain_text("重新排队")
    expect(page.locator(".tile[data-key] img[alt='千里江山长卷']")).to_be_visible()

    failed.get_by_role("button", name="删除").click()
    expect(failed).to_be_hidden()
    page.reload()
    expect(tiles(page)).to_have_count(3)


def test_the_keyboard_alone_is_enough(visit: Visit) -> None:
    page = visit("typist", locale="en-GB")
    page.locator(".tile__link").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".tile__link:focus img")).to_have_attribute("alt", "picture 2")

    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(box(page, 1)).to_be_checked()
    page.keyboard.press("ControlOrMeta+a")
    expect(bar(page).locator("[data-part=count]")).to_have_text("6 selected")
    page.keyboard.press("Escape")
    expect(bar(page)).to_be_hidden()
    expect(box(page, 1)).to_be_focused()

    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator(".tile__link:focus img")).to_have_attribute("alt", "picture 2")


def test_two_pictures_side_by_side_show_what_differs(visit: Visit, shoot: Shoot) -> None:
    page = visit("comparer")
    tiles(page).first.hover()
    box(page, 0).check()
    box(page, 1).check()
    bar(page).get_by_role("link", name="并排对比").click()

    expect(page.locator("mark")).to_have_text(["2"])
    expect(page.locator(".comparison__prompt")).to_have_text("same words")
    page.wait_for_load_state()  # keys are ignored until the scripts listen
    panes = page.locator(".compared-picture__pane")
    panes.first.focus()
    page.keyboard.press("+")
    plain = "matrix(1, 0, 0, 1, 0, 0)"
    expect(panes.locator("img").first).not_to_have_css("transform", plain)
    shown = panes.locator("img").evaluate_all(
        "all => all.map((i) => getComputedStyle(i).transform)"
    )
    assert len(set(shown)) == 1
    shoot(page, "compare")

    page.get_by_role("button", name="滑动对比").click()
    slider = page.get_by_role("slider")
    expect(slider).to_be_focused()
    page.keyboard.press("Home")
    expect(slider).to_have_value("0")
    assert "0%" in panes.nth(1).evaluate("pane => getComputedStyle(pane).clipPath")
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_value("1")
    shoot(page, "compare-slide")

    page.get_by_role("button", name="收藏").first.click()
    expect(page.locator(".compared-picture[data-favourite]")).to_have_count(1)
    page.locator("[data-back]").click()
    expect(page.locator(".tile[data-favourite]")).to_have_count(1)
    expect(bar(page).locator("[data-part=count]")).to_have_text("已选 2 张")


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_a_small_phone_needs_no_sideways_scrolling(visit: Visit, shoot: Shoot, locale: str) -> None:
    small: ViewportSize = {"width": 320, "height": 640}
    page = visit("phone", viewport=small, locale=locale, has_touch=True, is_mobile=True)
    assert beyond_the_window(page) == []
    for number in (0, 1):
        box(page, number).tap()
    expect(bar(page)).to_be_visible()
    assert beyond_the_window(page) == []
    for button in bar(page).locator(".button:visible").all():
        shape = button.bounding_box()
        assert shape
        assert shape["height"] >= 44
        assert shape["x"] >= 0
        assert shape["x"] + shape["width"] <= 320
    shoot(page, "gallery-phone")

    bar(page).locator("[data-part=compare]").tap()
    expect(page.locator(".compared-picture")).to_have_count(2)
    assert beyond_the_window(page) == []


def test_filters_and_more_work_without_scripts(visit: Visit) -> None:
    page = visit("scriptless", locale="en-GB", java_script_enabled=False)
    expect(tiles(page)).to_have_count(60)
    page.get_by_role("link", name="Show more").click()
    expect(tiles(page)).to_have_count(10)

    page.locator("[name=q]").fill("number 69")
    page.get_by_role("button", name="Search").click()
    expect(tiles(page)).to_have_count(1)
    page.locator("select[name=status]").select_option("cancelled")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Clear filters").click()
    expect(tiles(page)).to_have_count(60)
