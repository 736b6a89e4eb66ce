"""The page of one task: timeline, live updates and actions."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.accounts import create_accounts
from tests.browser.availability import answers
from tests.browser.conftest import PATIENCE_MS, NewAccount, Shoot, SignIn
from tests.browser.layout import beyond_the_window, covered_texts
from tests.browser.page_actions import expect_live, expect_percent, expect_picture, send, task_id_of
from tests.studio import ROOT, Studio, free_port, wait_until

pytestmark = pytest.mark.browser

NARROWEST: Any = {"width": 320, "height": 700}
WIDE: Any = {"width": 1440, "height": 900}


@pytest.fixture(scope="module")
def shaky_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """Its model's process dies in the middle of the first picture."""
    folder = tmp_path_factory.mktemp("shaky")
    faults = folder / "faults.json"
    faults.write_text(json.dumps([{"do": "die", "step": 4, "times": 1}]))
    port = free_port()
    options = ["--port", str(port), "--speed", "5", "--faults", str(faults)]
    with subprocess.Popen([sys.executable, "-m", "demo_xinference", *options], cwd=ROOT) as process:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{url}/v1/models"), what="the model server answers")
        studio = Studio(folder / "data", XINFERENCE_URL=url).start()
        yield studio
        studio.stop()
        process.terminate()


def finished(page: Page, prompt: str, **settings: int) -> str:
    """Draw it small; the id of the task, whose page is open then."""
    card = send(page, prompt, size="256x256", **settings)
    expect_picture(page, card)
    task_id = task_id_of(card)
    page.goto(f"/tasks/{task_id}/")
    expect_live(page)
    return task_id


def rows_of(page: Page) -> Locator:
    return page.locator("#timeline .timeline__row")


def labels_of(page: Page) -> list[str]:
    return page.locator("#timeline .timeline__label").all_inner_texts()


def expect_nothing_overlaps(page: Page) -> None:
    """No words of the drawing lie upon other words of it, or leave the panel."""
    clash = page.evaluate("""() => {
      const panel = document.querySelector("#timeline").getBoundingClientRect();
      const words = [...document.querySelectorAll(
        "#timeline .timeline__label, #timeline .timeline__note, #timeline .timeline__axis text")];
      const boxes = words.map((word) => [word.textContent, word.getBoundingClientRect()])
        .filter(([, box]) => box.width > 0);
      const outside = boxes.find(([, box]) => box.left < panel.left || box.right > panel.right);
      if (outside) return [outside[0], "outside"];
      for (const [i, [text, a]] of boxes.entries())
        for (const [other, b] of boxes.slice(i + 1))
          if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
              && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1) return [text, other];
      return null;
    }""")
    assert clash is None


@pytest.mark.parametrize(
    ("locale", "generating", "table"),
    [
        ("zh-CN", "正在生成潜在表示 1/2", "每一步"),
        ("en-GB", "Generating latents 1/2", "Every step"),
    ],
)
def test_a_finished_task_shows_every_step_of_every_picture(
    studio: Studio,
    sign_in: SignIn,
    new_account: NewAccount,
    shoot: Shoot,
    locale: str,
    generating: str,
    table: str,
) -> None:
    page = sign_in(new_account(), studio.url, locale=locale).new_page()
    page.goto("/")
    expect_live(page)
    finished(page, "two herons", n=2, steps=6)

    labels = labels_of(page)
    assert labels.count(generating) == 1
    assert len(labels) == 2 + 1 + 2 * 4 + 1
    expect(rows_of(page).last).to_have_attribute("data-kind", "end")
    expect(page.locator("#timeline .timeline")).to_have_attribute("role", "img")
    page.locator("#timeline summary", has_text=table).click()
    expect(page.locator("#timeline .table tbody tr")).to_have_count(len(labels))

    for size in (NARROWEST, WIDE):
        page.set_viewport_size(size)
        assert beyond_the_window(page) == []
        expect_nothing_overlaps(page)
    shoot(page, f"task-finished-{locale}")


def test_the_drawing_grows_while_the_task_goes_on(page: Page, shoot: Shoot) -> None:
    card = send(page, "a long walk", size="256x256", n=2, steps=100)
    expect_percent(card, 1)
    page.goto(f"/tasks/{task_id_of(card)}/")
    expect_live(page)
    expect(page.locator("#timeline [data-kind=running]")).not_to_have_count(0)
    before = rows_of(page).count()
    page.locator("#timeline summary").click()
    shoot(page, "task-grows")

    card = page.locator("article.card")
    expect(card).to_have_attribute("data-status", "completed", timeout=4 * PATIENCE_MS)
    expect(page.locator("#timeline .timeline__row[data-kind=end]")).to_have_count(1)
    assert rows_of(page).count() > before
    expect(page.locator("#timeline details")).to_have_attribute("open", "")
    expect(page.locator("#timeline summary")).to_be_focused()
    expect(page.locator("#task-actions [data-action=share]")).to_be_visible()
    lines = page.locator("#events .event__text")
    live = [" ".join(text.split()) for text in lines.all_inner_texts()]
    page.reload()
    assert [" ".join(text.split()) for text in lines.all_inner_texts()] == live


def test_interrupted_attempts_stay(shaky_studio: Studio, sign_in: SignIn, shoot: Shoot) -> None:
    (person,) = create_accounts(shaky_studio, first=1, count=1)
    page = sign_in(person, shaky_studio.url).new_page()
    page.goto("/")
    expect_live(page)
    task_id = finished(page, "千里江山")

    broken = page.locator("#timeline .timeline__row[data-kind=interrupted]")
    expect(broken).to_have_count(1)
    expect(broken).to_contain_text("模型进程")
    expect(page.locator(".timeline__band")).to_have_count(1)
    expect(page.locator(".time-shares__parts dt")).to_have_text(
        ["排队中", "第 1 次尝试（中断）", "等待接手", "第 2 次尝试"]
    )
    expect(page.locator(".time-shares__note[data-slow]")).to_contain_text("第 1 次尝试的中断")
    shoot(page, "task-interrupted")

    english = sign_in(person, shaky_studio.url, locale="en-GB").new_page()
    english.set_viewport_size(NARROWEST)
    english.goto(f"/tasks/{task_id}/")
    expect(english.locator(".time-shares__note")).to_contain_text(
        "An interruption of attempt 1 took"
    )
    assert beyond_the_window(english) == []
    expect_nothing_overlaps(english)


def test_a_link_shows_the_pictures_to_a_stranger_until_it_is_ended(
    page: Page, sign_in: SignIn, studio: Studio, shoot: Shoot
) -> None:
    finished(page, "for friends", steps=4)
    page.locator("#task-actions [data-action=share]").click()
    dialog = page.locator("dialog[open]")
    link = dialog.locator("[data-part=url]").input_value()
    shoot(page, "task-shared")

    stranger = sign_in(None, studio.url).new_page()
    stranger.goto(link)
    expect(stranger.locator("h1")).to_have_text("for friends")
    image = stranger.locator(".shared__picture img").element_handle()
    stranger.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=image)
    assert stranger.locator(".avatar, [data-part=url], #connection").count() == 0
    stranger.locator("[name=language][value=en]").click()
    expect(stranger.locator("html")).to_have_attribute("lang", "en")
    expect(stranger).to_have_url(link)
    stranger.locator("[data-theme-toggle]").click()
    expect(stranger.locator("html")).to_have_attribute("data-theme", "dark")
    stranger.set_viewport_size(NARROWEST)
    assert beyond_the_window(stranger) == []
    shoot(stranger, "shared")

    dialog.locator("[data-part=end]").click()
    expect(dialog).to_have_count(0)
    expect(page.locator("#task-actions [data-action=share]")).to_be_focused()
    gone = stranger.goto(link)
    assert gone is not None
    assert gone.status == 404
    expect(stranger.locator(".page-message")).to_contain_text("share link no longer works")


def test_again_draws_the_same_settings_anew_and_names_its_parent(page: Page) -> None:
    task_id = finished(page, "once more", steps=5)

    page.locator("#task-actions [data-action=again]").click()

    page.wait_for_url(lambda url: "/tasks/" in url and task_id not in url)
    expect(page.locator(f".facts a[href='/tasks/{task_id}/']")).to_be_visible()
    expect_picture(page, page.locator("article.card"))
    seeds = page.locator(".facts [data-part=seed]").inner_text()
    page.goto(f"/tasks/{task_id}/")
    expect(page.locator(".facts [data-part=seed]")).not_to_have_text(seeds)
    with page.expect_download() as download:
        page.locator("#task-actions [form=download][type=submit]").click()
    assert download.value.suggested_filename.endswith(".zip")


def test_a_finished_task_has_its_pictures_beside_or_below_its_words(
    page: Page, card: Locator
) -> None:
    page.goto(f"/tasks/{task_id_of(card)}/")
    head = page.locator(".task__head")
    for width in (1440, 1100, 820, 390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert covered_texts(head) == [], width
        parts = (".card__prompt", ".card__pictures", ".task__settings")
        boxes = [head.locator(part).bounding_box() for part in parts]
        title, pictures, facts = [box for box in boxes if box]
        assert title["width"] > 200, width
        assert pictures["y"] < title["y"] + title["height"] + 120, width
        assert facts["y"] < 1_400, width
