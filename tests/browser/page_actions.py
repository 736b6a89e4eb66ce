"""Actions on a page, and what it shows."""

from __future__ import annotations

import json
from typing import Any, TypedDict

from playwright.sync_api import BrowserContext, Locator, Page, WebSocket, expect

STEPS = ["parsing", "loading", "preparing", "generating", "decoding", "finishing", "completed"]
LINES = ["one lantern", "two lanterns", "three lanterns"]
"""A prompt that becomes three tasks."""


class Seen(TypedDict):
    """A state of a card as the page showed it."""

    task: str
    status: str
    step: str
    percent: int
    pictures: int
    stale: bool
    stopping: str | None
    headline: str


def open_studio(context: BrowserContext) -> Page:
    """The studio in a new page, connected."""
    page = context.new_page()
    page.goto("/")
    expect_live(page)
    return page


def expect_values(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        expect(page.locator(f"[name={name}]")).to_have_value(value)


def send(page: Page, prompt: str, *, size: str = "", **settings: int) -> Locator:
    """Fill in the form, press the button; the card that appears."""
    page.locator("[name=prompt]").fill(prompt)
    if size:
        width, height = size.split("x")
        page.locator(".ratio", has=page.locator("[value=free]")).click()
        page.locator("[name=width]").fill(width)
        page.locator("[name=height]").fill(height)
    pictures = settings.pop("n", None)
    if pictures:
        page.locator(f"[data-part=counts] label:has([value='{pictures}'])").click()
    for name, value in settings.items():
        page.locator(f"[name={name}]").fill(str(value))
    page.locator("#send").click()
    return card_of(page, prompt)


def fill_lines(page: Page, lines: list[str], steps: int | None = None) -> None:
    """Fill in a prompt of which each line becomes a task."""
    page.locator("[name=prompt]").fill("\n".join(lines))
    page.locator("[data-part=split] label", has=page.locator("[value=lines]")).click()
    if steps is not None:
        page.locator("[name=steps]").fill(str(steps))


def card_of(page: Page, prompt: str) -> Locator:
    return page.locator("article.card").filter(
        has=page.locator(".card__prompt").get_by_text(prompt, exact=True)
    )


def task_id_of(card: Locator) -> str:
    task_id = card.get_attribute("data-task-id")
    assert task_id
    return task_id


def percent_of(card: Locator) -> int:
    return int(card.locator("[data-part=percent]").inner_text())


def expect_percent(card: Locator, least: int) -> None:
    """Wait until the card of a task that goes on shows at least this percent."""
    reached = """([card, least]) => {
      const percent = Number(card.querySelector("[data-part=percent]").textContent);
      return card.dataset.status === "running" && percent >= least && percent < 100;
    }"""
    # looked at in every animation frame: a short task must not go unseen
    card.page.wait_for_function(reached, arg=[card.element_handle(), least])


def expect_status(card: Locator, status: str) -> None:
    expect(card).to_have_attribute("data-status", status)


def expect_picture(page: Page, card: Locator) -> None:
    """The task is done, and its picture is really drawn in the page."""
    expect_status(card, "completed")
    expect(card.locator("[data-part=percent]")).to_have_text("100")
    pictures = card.locator(".card__pictures img")
    assert pictures.count() > 0
    for image in pictures.all():
        image.scroll_into_view_if_needed()
        handle = image.element_handle()
        page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=handle)


def expect_live(page: Page) -> None:
    expect(page.locator("#connection")).to_have_attribute("data-phase", "live")


def recorded(page: Page, task_id: str) -> list[Seen]:
    seen: list[Seen] = page.evaluate("window.recorded")
    return [each for each in seen if each["task"] == task_id]


def without_repeats(values: list[Any]) -> list[Any]:
    return [value for i, value in enumerate(values) if i == 0 or value != values[i - 1]]


class Wire:
    """Every frame that the page's sockets received, in order."""

    def __init__(self, page: Page) -> None:
        self.frames: list[dict[str, Any]] = []
        self.opened = 0
        page.on("websocket", self.listen)

    def listen(self, socket: WebSocket) -> None:
        self.opened += 1
        socket.on("framereceived", lambda text: self.frames.append(json.loads(text)))

    def events(self, task_id: str) -> list[dict[str, Any]]:
        return [f for f in self.frames if f.get("task_id") == task_id and "kind" in f]

    def seqs(self, task_id: str) -> list[int]:
        return [event["seq"] for event in self.events(task_id)]
