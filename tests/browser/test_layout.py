"""Nothing is cut off, covered or unreachable at any window size and text length."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.accounts import Account
from tests.browser.conftest import NewAccount, SignIn
from tests.browser.gallery_rows import Rows, create_gallery
from tests.browser.layout import (
    DESKS,
    beyond_the_window,
    covered_controls,
    covered_texts,
    resize,
)
from tests.browser.matrix import LOCALES, sizes_in
from tests.browser.page_actions import (
    card_of,
    expect_live,
    expect_status,
    open_studio,
    send,
    task_id_of,
)
from tests.demo_faults import HELD_STEPS, SOME_SECONDS
from tests.studio import Studio

pytestmark = pytest.mark.browser

PHONES = ["844x390", "390x844", "320x640", "320x256"]
STACKED = "".join(letter + "\u0300\u0489\u0334\u0353" * 10 for letter in "stacked")
WORD = "W" * 400
HOSTILE: Rows = [
    {"prompt": STACKED, "negative_prompt": WORD, "n": 2},
    {"prompt": WORD, "negative_prompt": STACKED, "width": 256, "height": 1024},
    {"prompt": "一" * 2_000},
    {"prompt": WORD, "status": "failed", "step": "decoding", "error_code": "model_error"},
]


@pytest.mark.parametrize("locale", LOCALES)
def test_every_window_fits(sign_in: SignIn, studio: Studio, person: Account, locale: str) -> None:
    page = open_studio(sign_in(person, studio.url, locale=locale))
    running = send(page, "a running task", n=4, steps=HELD_STEPS)
    batch = send(page, "the next one", n=4, **SOME_SECONDS)
    send(page, "waiting " + "word " * 30)
    expect_status(running, "running")
    form = page.locator("#composer")
    form.locator(".fold > summary").click()

    for size in sizes_in(locale, DESKS, first="zh-CN"):
        resize(page, size)
        assert beyond_the_window(page) == [], size
        assert covered_texts(page.locator("#cards")) == [], size
        assert covered_controls(form) == [], size
        assert covered_controls(running) == [], size
        expect(form.locator("#send")).to_be_in_viewport(ratio=1)

    sheet = form.locator("[data-sheet] > summary")
    filters = page.locator(".filters button")
    for size in sizes_in(locale, PHONES, first="zh-CN"):
        resize(page, size)
        assert not overlap(filters.nth(-2), filters.last), size
        assert beyond_the_window(page) == [], size
        assert covered_texts(page.locator("#cards")) == [], size
        assert covered_controls(running) == [], size
        expect(form.locator("#send")).to_be_in_viewport(ratio=1)
        sheet.click()
        prompt = form.locator("[name=prompt]")
        expect(prompt).to_be_focused()
        expect(prompt).to_be_in_viewport(ratio=0.9)
        assert covered_controls(form) == [], size
        page.keyboard.press("Escape")

        account = page.locator(".bar .avatar")
        account.click()
        assert covered_controls(page.locator(".bar")) == [], size
        account.click()

    resize(page, "1280x720")
    running.locator("[data-action=cancel]").click()
    stored = batch.locator(".card__pictures [data-stored]").first
    expect(stored).to_be_visible(timeout=120_000)
    for size in ("1280x720", "820x1180", "390x844", "320x640"):
        resize(page, size)
        assert covered_texts(page.locator("#cards")) == [], size


def test_a_prompt_that_waits_for_the_connection_fits(
    sign_in: SignIn, studio: Studio, person: Account
) -> None:
    page = open_studio(sign_in(person, studio.url))
    page.context.set_offline(True)
    for prompt in (WORD, "word " * 80):
        page.locator("[name=prompt]").fill(prompt)
        page.locator("#send").click()
    waiting = page.locator("#pending")
    expect(waiting.locator(".pending__item")).to_have_count(2)
    for size in DESKS + PHONES:
        resize(page, size)
        assert beyond_the_window(page) == [], size
        expect(waiting.get_by_role("button").first).to_be_in_viewport(ratio=1)


@pytest.fixture
def hostile(sign_in: SignIn, studio: Studio, new_account: NewAccount) -> Page:
    """The gallery of a person whose prompts fit nowhere."""
    person = new_account()
    create_gallery(studio, {person.name: [dict(task) for task in HOSTILE]})
    page = sign_in(person, studio.url).new_page()
    page.goto("/gallery/")
    return page


def test_words_that_fit_nowhere_stay_in_their_place(hostile: Page) -> None:
    page = hostile
    keys = page.locator(".tile[data-key]").evaluate_all(
        "all => all.map((tile) => tile.dataset.key)"
    )
    tasks = page.locator(".tile").evaluate_all("all => all.map((tile) => tile.dataset.task)")
    compared = "&".join(f"picture={key}" for key in keys[:4])
    paths = ["/gallery/", f"/compare/?{compared}", "/", *(f"/tasks/{task}/" for task in tasks)]
    for path in paths:
        page.goto(path)
        for size in ("1280x720", "820x1180", "320x640"):
            resize(page, size)
            assert beyond_the_window(page) == [], f"{path} at {size}"
    title = page.locator(".card__prompt")
    for task in tasks:
        page.goto(f"/tasks/{task}/")
        box = title.bounding_box()
        assert box
        assert box["height"] < 300


def test_an_open_sheet_of_the_viewer_leaves_the_picture_whole(hostile: Page) -> None:
    page = hostile
    page.locator(".tile__link").nth(2).click()
    viewer = page.get_by_role("dialog")
    picture, panel = viewer.locator("[data-part=picture]"), viewer.locator("[data-part=panel]")
    about = viewer.locator("[data-part=about]")
    if about.get_attribute("aria-expanded") == "false":
        about.click()
    expect(panel).to_have_attribute("data-known", "")
    for size in ("1280x720", "820x1180", "844x390", "390x844", "320x640", "320x256"):
        resize(page, size)
        expect(picture).to_be_in_viewport(ratio=0.99)
        assert not overlap(picture, panel), size
        assert beyond_the_window(page) == [], size


@pytest.mark.parametrize("locale", LOCALES)
def test_the_actions_of_a_card_are_on_one_line(
    sign_in: SignIn, studio: Studio, person: Account, locale: str
) -> None:
    page = open_studio(sign_in(person, studio.url, locale=locale))
    for n in (4, 3, 2, 1):
        expect_status(send(page, f"{n} pictures", n=n, size="256x256", steps=2), "completed")
    # the newest card is a large one
    expect_status(send(page, "newest", size="256x256", steps=2), "completed")
    cards = page.locator("article.card[data-layout=ended]")
    expect(cards).to_have_count(5)
    for size in sizes_in(locale, [*DESKS, "390x844", "320x640"], first="en-GB"):
        resize(page, size)
        for card in cards.all():
            card.scroll_into_view_if_needed()
            expect(card.locator(".card__more > summary")).to_be_visible()
            middles = card.locator(".card__actions > *").evaluate_all(
                "all => all.filter((e) => e.checkVisibility())"
                ".map((e) => e.getBoundingClientRect()).map((box) => (box.top + box.bottom) / 2)"
            )
            assert max(middles) - min(middles) < 4, (size, card.inner_text())


@pytest.mark.parametrize("locale", LOCALES)
def test_phones_show_how_far_a_running_task_is(
    sign_in: SignIn, studio: Studio, person: Account, locale: str
) -> None:
    page = open_studio(sign_in(person, studio.url, locale=locale))
    for prompt, pictures in (("one picture", 1), ("four pictures", 4)):
        resize(page, "1280x720")
        running = send(page, prompt, n=pictures, steps=HELD_STEPS)
        expect_status(running, "running")
        for size in ("320x640", "375x667", "390x844", "844x390"):
            resize(page, size)
            page.reload()
            expect_live(page)
            for part in ("percent", "headline"):
                shown = running.locator(f"[data-part={part}]")
                expect(shown).to_be_in_viewport(ratio=1)
                assert not overlap(shown, page.locator("#composer")), (size, part)
        resize(page, "1280x720")
        running.locator("[data-action=cancel]").click()
        expect_status(running, "cancelled")


def overlap(one: Locator, other: Locator) -> bool:
    a, b = one.bounding_box(), other.bounding_box()
    assert a
    assert b
    wide = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
    high = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
    return wide > 1 and high > 1


def test_on_paper_there_are_pictures_and_prompts_alone(page: Page) -> None:
    card = send(page, "on paper", steps=2, size="256x256")
    expect_status(card, "completed")
    page.emulate_media(media="print")
    expect(card.locator(".card__pictures img")).to_be_visible()
    expect(card.locator(".card__prompt")).to_be_visible()
    assert shown_controls(page) == []

    page.emulate_media(media="screen")
    page.goto("/gallery/")
    page.emulate_media(media="print")
    expect(page.locator(".tile img")).to_be_visible()
    expect(page.locator(".tile__caption")).to_have_css("opacity", "1")
    expect(page.locator(".tile__caption")).to_have_text("on paper")
    assert shown_controls(page) == []


def shown_controls(page: Page) -> list[str]:
    """Controls that can be seen, besides the pictures and prompts that lead somewhere."""
    found = page.locator("button, input, select, textarea, summary, .bar a").locator("visible=true")
    controls: list[str] = found.evaluate_all("all => all.map((control) => control.outerHTML)")
    return controls


def test_forced_colours_keep_what_is_chosen_and_where_it_is(page: Page) -> None:
    running = send(page, "in two colours", steps=HELD_STEPS, size="1024x1024", n=4)
    expect_status(running, "running")
    expect(running.locator(".step[aria-current][data-step=generating]")).to_be_visible()
    fetched = "() => performance.getEntriesByType('resource').map(({ name }) => name).join()"
    assert "forced-colors" not in page.evaluate(fetched)
    page.emulate_media(forced_colors="active")
    expect(page.locator(".connection__dot")).to_have_css("border-top-width", "5px")  # it is fetched
    canvas = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")

    def paint(locator: Locator, name: str) -> str:
        value: str = locator.evaluate("(e, name) => getComputedStyle(e)[name]", name)
        return value

    assert paint(running.locator(".step__bar").first, "backgroundColor") != canvas
    assert paint(running.locator("[data-current] .step__fill"), "backgroundColor") != canvas
    for chosen in (
        ".filters [aria-pressed=true]",
        ".ratio:has(:checked)",
        ".segments label:has(:checked)",
    ):
        assert paint(page.locator(chosen).first, "backgroundColor") != canvas, chosen
    assert paint(page.locator(".bar__nav [aria-current]"), "borderBottomColor") != canvas
    assert (
        paint(page.locator(".bar__nav a:not([aria-current])").first, "borderBottomColor") == canvas
    )
    assert paint(page.locator(".connection__dot"), "borderTopWidth") != "0px"
    send_button = page.locator("#send")
    page.locator("[name=model]").focus()
    page.keyboard.press("Tab")
    expect(send_button).to_be_focused()
    assert paint(send_button, "outlineStyle") == "solid"
    assert paint(send_button, "outlineColor") != canvas


def test_times_of_an_older_day_fit_into_the_event_log(page: Page) -> None:
    card = send(page, "some days ago", steps=2, size="256x256")
    expect_status(card, "completed")
    page.clock.set_fixed_time(datetime.now(UTC) + timedelta(days=40))
    page.goto(f"/tasks/{task_id_of(card)}/")
    expect_live(page)
    events = page.locator("#events")
    expect(events.locator(".event__time").first).to_contain_text("月")
    for size in ("1280x720", "820x1180", "320x640"):
        resize(page, size)
        assert covered_texts(events) == [], size


def test_good_news_does_not_look_like_a_warning(page: Page) -> None:
    card = send(page, "good news", steps=2, size="256x256")
    expect_status(card, "completed")
    card.locator(".card__more > summary").click()
    card.locator("[data-action=delete]").click()
    expect(card_of(page, "good news")).to_have_count(0)
    expect(page.locator(".toast use").first).to_have_attribute("href", re.compile("#i-check$"))
