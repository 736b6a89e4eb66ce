"""Chosen pictures of the gallery: marks, the trash and the download."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Shoot
from tests.browser.gallery_visits import Visit, bar, box, tiles
from tests.studio import wait_until

pytestmark = pytest.mark.browser


def test_a_failed_download_is_shown_and_repeated(visit: Visit) -> None:
    page = visit("scroller")
    page.route("**/gallery/?*fragment=1*", lambda route: route.abort())
    page.mouse.wheel(0, 100_000)
    failed = page.locator("#more-failed")
    expect(failed).to_be_visible()
    expect(failed).to_contain_text("没有加载出来")
    expect(tiles(page)).to_have_count(60)

    page.unroute_all()
    failed.get_by_role("button").click()
    expect(tiles(page)).to_have_count(120)
    expect(failed).to_be_hidden()


def test_chosen_pictures_are_marked_deleted_and_brought_back(visit: Visit, shoot: Shoot) -> None:
    page = visit("chooser")
    tiles(page).nth(1).hover()
    box(page, 1).click()
    box(page, 3).click(modifiers=["Shift"])
    expect(bar(page).locator("[data-part=count]")).to_have_text("已选 3 张")
    expect(page.locator("#live-region")).to_have_text("已选 3 张")
    shoot(page, "gallery-chosen")

    bar(page).get_by_role("button", name="收藏").click()
    expect(page.locator(".tile[data-favourite]")).to_have_count(3)
    bar(page).get_by_role("button", name="删除").click()
    expect(tiles(page)).to_have_count(3)
    expect(bar(page)).to_be_hidden()
    expect(page.locator(".tile__link:focus img")).to_have_attribute("alt", "picture 5")
    expect(page.locator(".day__title")).to_contain_text("3 张")

    page.keyboard.press("u")
    expect(tiles(page)).to_have_count(6)
    expect(page.locator(".tile__link:focus img")).to_have_attribute("alt", "picture 2")
    page.reload()
    expect(tiles(page)).to_have_count(6)
    expect(page.locator(".tile[data-favourite]")).to_have_count(3)


def test_a_response_older_than_a_mark_does_not_remove_it(visit: Visit) -> None:
    page = visit("marker")
    held: list[Route] = []
    page.route("**/gallery/?*fragment=1*", lambda route: held.append(route))

    def requested(count: int) -> Route:
        def is_held() -> bool:
            page.wait_for_timeout(20)  # runs the handlers of routes
            return len(held) == count

        wait_until(is_held, what="a request")
        return held[-1]

    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    older = requested(1)
    response = older.fetch()
    tiles(page).first.hover()
    box(page, 0).click()
    with page.expect_response("**/gallery/favourite/"):
        bar(page).get_by_role("button", name="收藏").click()
    older.fulfill(response=response)

    newer = requested(2)
    with page.expect_response("**/gallery/?*fragment=1*"):
        newer.continue_()
    expect(page.locator(".tile[data-favourite]")).to_have_count(1)


def test_chosen_pictures_are_taken_along_in_one_file(visit: Visit) -> None:
    page = visit("packer", locale="en-GB")
    tiles(page).first.hover()
    box(page, 0).check()
    page.locator(".tile__link").nth(2).click()  # a plain click goes on choosing
    expect(bar(page).locator("[data-part=count]")).to_have_text("2 selected")

    with page.expect_download() as coming:
        bar(page).get_by_role("button", name="Download").click()

    with zipfile.ZipFile(io.BytesIO(Path(coming.value.path()).read_bytes())) as archive:
        assert archive.testzip() is None
        pictures = [name for name in archive.namelist() if name.endswith(".jpg")]
        assert len(pictures) == 2
        assert archive.read(pictures[0]).startswith(b"\xff\xd8")
