"""The picture viewer of a page."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

PICTURES = ".card__pictures a[data-picture-key]"


def viewer_of(page: Page) -> Locator:
    return page.locator("dialog.viewer")


def open_viewer(page: Page, number: int = 1) -> Locator:
    """The viewer, on the picture with this number, as soon as all of it is there."""
    page.locator(PICTURES).nth(number - 1).click()
    expect_shown(page, number)
    return viewer_of(page)


def expect_shown(page: Page, number: int, of: int = 3) -> None:
    viewer = viewer_of(page)
    expect(viewer).to_be_visible()
    expect(viewer.locator("[data-part=counter]")).to_have_text(f"{number} / {of}")
    expect(viewer.locator("[data-part=panel][data-known]")).to_have_count(1)
    # looked up each time, because the viewer may show the picture again
    page.wait_for_function(
        "() => document.querySelector('dialog.viewer .viewer__picture img')?.naturalWidth > 0"
    )


def key_shown(page: Page) -> str:
    return page.url.partition("#picture=")[2]
