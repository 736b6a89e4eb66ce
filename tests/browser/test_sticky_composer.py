"""The button that sends stays in the window while the task list scrolls."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.accounts import Account
from tests.browser.conftest import SignIn
from tests.browser.gallery_rows import create_gallery
from tests.browser.layout import DESKS, covered_controls, resize
from tests.browser.page_actions import expect_picture, open_studio, send
from tests.studio import Studio

pytestmark = pytest.mark.browser


def box_of(part: Locator) -> tuple[float, float, float, float]:
    """Left, top, right and bottom in the window."""
    box = part.bounding_box()
    assert box is not None
    return box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]


def covers(one: Locator, other: Locator) -> bool:
    left, top, right, bottom = box_of(one)
    left2, top2, right2, bottom2 = box_of(other)
    return left < right2 and left2 < right and top < bottom2 and top2 < bottom


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_the_composer_stays(sign_in: SignIn, studio: Studio, person: Account, locale: str) -> None:
    create_gallery(studio, {person.name: [{"prompt": f"number {i}"} for i in range(24)]})
    page = open_studio(sign_in(person, studio.url, locale=locale))
    composer, recent = page.locator("#composer"), page.locator("#recent")
    expect_picture(page, send(page, "newest", size="512x256", steps=2, n=4))
    composer.locator(".fold > summary").click()
    expect(recent.locator("li")).to_have_count(4)
    expect(page.locator(".card")).to_have_count(25)

    for size in DESKS:
        resize(page, size)
        for down in (0, 700, 1_000_000):
            page.evaluate("down => scrollTo({ top: down, behavior: 'instant' })", down)
            expect(composer.locator("#send")).to_be_in_viewport(ratio=1)
            assert not covers(composer, recent), size
            assert not covers(page.locator("#task-list"), recent), size
        assert covered_controls(composer) == [], size
        assert covered_controls(recent) == [], size
