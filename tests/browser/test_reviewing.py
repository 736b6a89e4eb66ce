"""A reviewer's work: decisions by keys alone, a conflict, undo, an appeal, and the grid."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from operator import itemgetter
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.accounts import Account, create_accounts
from tests.browser.axe import serious_violations
from tests.browser.conftest import SignIn
from tests.browser.gallery_rows import create_gallery
from tests.browser.layout import beyond_the_window
from tests.studio import Studio, wait_until

pytestmark = pytest.mark.browser

PREPARE = """
from django.contrib.auth.models import Permission, User
from generation import services
from generation.choices import ReviewState
from generation.clock import clock
from generation.models import Appeal, GeneratedImage

for name in {reviewers!r}:
    user = User.objects.get(username=name)
    user.is_staff = True
    user.save()
    user.user_permissions.add(Permission.objects.get(codename="add_review"))
hidden = GeneratedImage.objects.filter(task__owner__username={owner!r}).order_by("-pk")[0]
services.decide(
    reviewer=User.objects.get(username={reviewers!r}[1]), image_id=hidden.pk, version=0,
    state=ReviewState.HIDDEN, note="unclear", now=clock.now(),
)
Appeal.objects.create(image=hidden, text="It is a statue.", created=clock.now())
"""
COLOURS = ("teal", "navy", "maroon", "olive")


class Desk:
    """The review page of one reviewer with the pictures of one owner."""

    def __init__(self, page: Page, owner: str) -> None:
        self.page = page
        self.address = f"/admin/review/?owner={owner}"

    def open(self, number: str = "") -> None:
        """Open the page at picture `number`, or at the first one that waits."""
        self.page.goto(f"{self.address}&picture={number}")
        expect(self.stage).to_be_visible()
        self.ready()

    @property
    def stage(self) -> Locator:
        return self.page.locator("[data-part='stage']")

    @property
    def shown(self) -> str:
        return self.stage.get_attribute("data-id") or ""

    def item(self, number: str) -> Locator:
        return self.page.locator(f".strip__item[data-id='{number}']")

    def ready(self) -> None:
        """Wait until the picture is there: the page takes no decision about an unseen one."""
        self.page.wait_for_function(
            "() => !document.querySelector('#review-picture').ariaBusy"
            " && document.querySelector('.stage__image')?.naturalWidth"
        )

    def press(self, *keys: str) -> str:
        """Decide about the shown picture by keys; its id."""
        self.ready()
        decided = self.shown
        for key in keys:
            self.page.keyboard.press(key)
        expect(self.stage).not_to_have_attribute("data-id", decided)
        return decided


@pytest.fixture(scope="module")
def people(shared_studio: Studio) -> tuple[str, list[Account]]:
    """An owner with 36 pictures, one of them hidden with an appeal; and two reviewers."""
    owner, *reviewers = create_accounts(shared_studio, first=880, count=3)
    rows: list[dict[str, Any]] = [
        {"prompt": f"heron {number}", "colour": COLOURS[number % 4]} for number in range(36)
    ]
    create_gallery(shared_studio, {owner.name: rows})
    names = [each.name for each in reviewers]
    code = PREPARE.format(reviewers=names, owner=owner.name)
    shared_studio.manage("shell", "--no-imports", "-c", code)
    return owner.name, reviewers


@pytest.fixture(autouse=True)
def no_claims(shared_studio: Studio) -> None:
    """A page that a test closed may have kept its pictures, for ten minutes."""
    with closing(sqlite3.connect(shared_studio.data_dir / "db.sqlite3", timeout=20)) as database:
        database.execute("delete from generation_reviewclaim")
        database.commit()


def reviews_of(studio: Studio, name: str) -> list[tuple[str, str]]:
    query = "select image_id, state from generation_review where reviewer_name = ? order by id"
    with sqlite3.connect(studio.data_dir / "db.sqlite3") as database:
        return [(str(image), state) for image, state in database.execute(query, [name])]


def test_an_hour_of_a_reviewer(
    studio: Studio, sign_in: SignIn, people: tuple[str, list[Account]]
) -> None:
    owner, (renu, ravi) = people
    desk = Desk(sign_in(renu, studio.url, locale="en-GB").new_page(), owner)
    page = desk.page
    desk.open()

    # the appeal comes first
    expect(desk.stage).to_contain_text("It is a statue.")
    expected = [(desk.press("a"), "approved")]

    # twenty-nine more decisions, without a mouse
    for number in range(29):
        if number % 10 == 3:
            expected.append((desk.press("f"), "flagged"))
        elif number % 10 == 7:
            expected.append((desk.press("h", "2"), "hidden"))
        else:
            expected.append((desk.press("a"), "approved"))
    # a key that is typed decides nothing
    desk.ready()
    noted = desk.shown
    page.keyboard.press("n")
    page.keyboard.type("hands a f h")
    assert desk.shown == noted
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    expect(desk.stage).not_to_have_attribute("data-id", noted)

    # a colleague decides about a picture that waits here: the strip says so
    other = Desk(sign_in(ravi, studio.url, locale="en-GB").new_page(), owner)
    other.open(noted)
    expect(other.page.locator(".verdict__held")).to_contain_text(renu.name)
    other.page.keyboard.press("f")
    expect(desk.item(noted)).to_contain_text(f"{ravi.name}: Flagged")

    # a colleague is first, and the news of it does not arrive in time
    page.route("**/admin/review/news/**", lambda route: route.abort())
    # what was decided just before a page is left is stored too; the colleague, who would get the
    # pictures that are returned, has left
    other.page.goto("/admin/")
    page.goto("/admin/")
    wait_until(lambda: len(reviews_of(studio, renu.name)) == len(expected), what="all are stored")
    desk.open()
    contested = desk.shown
    other.open(contested)
    other.page.keyboard.press("f")
    expect(other.page.locator("#review-toast")).to_contain_text("Flagged")
    desk.press("a")
    expect(page.locator("#review-toast")).to_contain_text(f"Decided first by {ravi.name}: Flagged")

    # the last own decision is undone
    last = desk.press("h", "1")
    expect(page.locator("#review-toast")).to_contain_text("Hidden")
    page.keyboard.press("u")
    expect(desk.stage).to_have_attribute("data-id", last)
    expect(page.locator("#review-toast")).to_contain_text("Undone")

    expected += [(last, "hidden"), (last, "unreviewed")]
    # the last ones before the page was left may have been stored in any order
    assert sorted(reviews_of(studio, renu.name), key=itemgetter(0)) == sorted(
        expected, key=itemgetter(0)
    )
    assert [state for _image, state in reviews_of(studio, ravi.name)] == [
        *("hidden", "flagged", "flagged")
    ]
    with sqlite3.connect(studio.data_dir / "db.sqlite3") as database:
        open_appeals = "select count(*) from generation_appeal where is_open"
        assert database.execute(open_appeals).fetchone() == (0,)

    # what is left is swept over and approved at once
    page.keyboard.press("g")
    tiles = page.locator(".tile")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.tile img')].every((each) => each.naturalWidth)"
    )
    count = tiles.count()
    tiles.first.hover()
    page.mouse.down()
    tiles.last.hover()
    page.mouse.up()
    expect(page.locator(".tile :checked")).not_to_have_count(0)
    page.locator("[data-tiles='all']").click()
    page.keyboard.press("a")
    expect(page.locator("#review-toast")).to_contain_text(f"{count} approved")
    expect(tiles).to_have_count(0)
    page.keyboard.press("u")
    expect(tiles).to_have_count(count)


@pytest.mark.parametrize(("scheme", "size"), [("light", (1280, 720)), ("dark", (820, 1180))])
def test_the_page_is_accessible_and_fits(
    studio: Studio,
    sign_in: SignIn,
    people: tuple[str, list[Account]],
    scheme: str,
    size: tuple[int, int],
) -> None:
    owner, (renu, _ravi) = people
    viewport = {"width": size[0], "height": size[1]}
    context = sign_in(renu, studio.url, color_scheme=scheme, viewport=viewport)
    page = context.new_page()
    page.goto(f"/admin/review/?owner={owner}")
    expect(page.locator("[data-part='stage']")).to_be_visible()
    page.locator("[data-part='hide'] summary").click()

    assert serious_violations(page) == []
    assert beyond_the_window(page) == []

    page.locator("#review-grid").click()
    expect(page.locator(".tile").first).to_be_visible()
    assert serious_violations(page) == []
    assert beyond_the_window(page) == []
