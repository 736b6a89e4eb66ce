"""Favourites, deletions and restorations appear in all windows of a user."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.page_actions import (
    card_of,
    expect_live,
    expect_picture,
    open_studio,
    send,
    task_id_of,
)

pytestmark = pytest.mark.browser


def delete(card: Locator) -> None:
    card.locator("[data-action=delete]").evaluate("button => button.click()")


def test_hearts_deletions_and_restorations_reach_studio_gallery_and_viewer(page: Page) -> None:
    for prompt in ("kept", "comes and goes"):
        expect_picture(page, send(page, prompt, size="256x256", steps=2))
    other, gallery = page.context.new_page(), page.context.new_page()
    other.goto("/")
    expect_live(other)
    gallery.goto("/gallery/")
    tiles = gallery.locator(".tile")
    expect(tiles).to_have_count(2)

    tiles.first.locator("a").click()
    viewer = gallery.locator("dialog.viewer")
    expect(viewer.locator("[data-part=prompt]")).to_have_text("comes and goes")
    gallery.keyboard.press("f")
    for studio in (page, other):
        expect(
            card_of(studio, "comes and goes").locator(".card__pictures .frame__heart")
        ).to_have_count(1)

    delete(card_of(page, "comes and goes"))
    expect(viewer.locator("[data-part=prompt]")).to_have_text("kept")
    expect(tiles.first).to_be_hidden()
    expect(card_of(other, "comes and goes")).to_have_count(0)
    counts = other.locator("#filters [data-filter]")
    expect(counts).to_have_text(["全部 1", "进行中 0", "已完成 1", "失败与取消 0"])

    late = open_studio(page.context)  # it has never seen what is restored now
    page.locator("#alerts").get_by_role("button", name="撤销").click()
    gallery.keyboard.press("Escape")
    expect(tiles.first).to_be_visible()
    for studio in (page, other, late):
        expect(card_of(studio, "comes and goes").locator(".card__pictures img")).to_have_count(1)
        expect(studio.locator("#filters [data-filter=all]")).to_have_text("全部 2")
    assert gallery.locator(".tile:not([hidden])").count() == 2


def test_the_trash_shows_what_other_windows_delete_and_restore(page: Page) -> None:
    for prompt in ("stays", "comes and goes"):
        expect_picture(page, send(page, prompt, size="256x256", steps=2))
    trash = page.context.new_page()
    trash.goto("/trash/")
    items = trash.locator(".trash-item")
    expect(trash.get_by_role("heading", name="回收站是空的")).to_be_visible()

    delete(card_of(page, "stays"))
    expect(items).to_have_count(1)
    box = items.get_by_role("checkbox")
    box.check()
    box.focus()
    delete(card_of(page, "comes and goes"))
    expect(items).to_have_count(2)
    kept = items.filter(has_text="stays").get_by_role("checkbox")
    expect(kept).to_be_checked()
    expect(kept).to_be_focused()

    page.locator("#alerts").get_by_role("button", name="撤销").last.click()
    expect(items).to_have_count(1)
    expect(kept).to_be_checked()
    trash.get_by_role("button", name="恢复选中的").click()
    expect(card_of(page, "stays")).to_have_count(1)
    empty = trash.get_by_role("heading", name="回收站是空的")
    expect(empty).to_be_visible()

    other = page.context.new_page()
    other.goto("/trash/")
    delete(card_of(page, "stays"))
    expect(items).to_have_count(1)
    other.get_by_role("checkbox").check()
    other.get_by_role("button", name="彻底删除选中的").click()
    expect(empty).to_be_visible()
    delete(card_of(page, "comes and goes"))
    expect(other.locator(".trash-item")).to_have_count(1)
    other.locator(".trash__empty summary").click()
    other.get_by_role("button", name="清空回收站").click()
    expect(empty).to_be_visible()


def test_the_comparison_shows_what_other_windows_delete_restore_and_mark(
    page: Page, card: Locator
) -> None:
    task = task_id_of(card)
    comparison = page.context.new_page()
    comparison.goto("/compare/?" + "&".join(f"picture={task}:{i}" for i in (1, 2, 3)))
    compared = comparison.locator(".compared-picture")
    gone = compared.first.get_by_text("这张图在回收站里")
    gallery = page.context.new_page()
    gallery.goto("/gallery/")
    gallery.locator(f"a[data-picture-key='{task}:1']").click()
    viewer = gallery.locator("dialog.viewer")
    expect(viewer.locator("[data-part=prompt]")).to_have_text("three to look at")

    gallery.keyboard.press("f")
    expect(compared.first).to_have_attribute("data-favourite", "")
    viewer.locator("[data-part=delete]").click()
    expect(gone).to_be_visible()
    expect(compared.first.get_by_role("button")).to_have_count(0)
    expect(compared.nth(1).get_by_role("button")).to_have_count(1)

    gallery.locator("#alerts").get_by_role("button", name="撤销").click()
    expect(gone).to_be_hidden()
    expect(compared.first.get_by_role("button")).to_have_count(1)
