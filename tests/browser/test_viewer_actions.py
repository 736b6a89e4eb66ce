"""Actions in the picture viewer: favourite, delete, download."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import Shoot
from tests.browser.page_actions import task_id_of
from tests.browser.viewer import PICTURES, expect_shown, key_shown, open_viewer, viewer_of
from tests.studio import Studio

pytestmark = pytest.mark.browser


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


def test_a_card_without_pictures_can_be_restored(page: Page, card: Locator) -> None:
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


def test_downloads_have_settings(page: Page, card: Locator, studio: Studio, tmp_path: Path) -> None:
    viewer = open_viewer(page)
    with page.expect_download() as started:
        page.keyboard.press("d")
    saved = tmp_path / "picture"
    started.value.save_as(saved)

    url = page.locator(PICTURES).first.get_attribute("href")
    assert url
    assert saved.read_bytes() == page.request.get(url).body()
    assert started.value.suggested_filename.endswith((".png", ".jpg"))
    parameters = viewer.locator("[data-part=parameters]").inner_text()
    assert parameters.startswith("three to look at\nSteps: 4,")
    assert any(parameters.encode(code) in saved.read_bytes() for code in ("utf-8", "utf-16-be"))


def test_gone_and_failing_pictures_differ(
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


def test_one_key_makes_a_variation_with_its_change(page: Page, card: Locator, shoot: Shoot) -> None:
    parent, cards = task_id_of(card), page.locator("article.card")
    card.locator("[data-part=vary]").click()
    expect(page.locator("#alerts")).to_contain_text("换了新种子，其余不变")
    expect(cards).to_have_count(2)
    expect(page.locator("#recent [data-picture-key]")).to_have_count(4)
    shoot(page, "varied")

    page.locator("#alerts").get_by_role("button", name="继续修改").click()
    expect(page.locator("[data-part=origin-changes]")).to_have_text("还没改动 · 将换一个新种子")
    page.locator("#send").click()  # unchanged, it would be the very same picture
    expect(cards).to_have_count(3)

    original = page.locator(f"#task-{parent}")
    original.locator("[data-menu] summary").click()
    original.get_by_role("link", name="微调一下").click()
    expect(page.locator("#alerts")).to_contain_text("种子不变，步数由 4 改为 3")
    expect(cards).to_have_count(4)

    page.reload()
    data = page.locator("#studio-state").evaluate("script => JSON.parse(script.textContent)")
    tasks = {each["id"]: each["task"] for each in data["tasks"]}
    made = [task for task in tasks.values() if task.get("parent") == parent]
    assert sorted("seed" not in task for task in made) == [False, True, True]
    (small,) = [task for task in made if "seed" in task]
    assert small["steps"] == tasks[parent]["steps"] - 1
    assert sorted(task["n"] for task in made) == [1, 1, 3]
