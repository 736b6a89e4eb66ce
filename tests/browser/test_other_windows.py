"""Favourites, deletions and restorations appear in all windows of a user."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.page_actions import card_of, expect_live, expect_picture, open_studio, send

pytestmark = pytest.mark.browser


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

    card = card_of(page, "comes and goes")
    card.locator("[data-action=delete]").evaluate("button => button.click()")
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
