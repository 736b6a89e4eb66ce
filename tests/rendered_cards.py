"""Cards that the server rendered, as data that scripts can be compared with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

from django.template.loader import render_to_string

from generation.protocol import QueuePosition, TaskData, TaskState
from generation.views.pages import to_paint
from tests.task_logs import TASK

CSS_WEIGHT = "0.02"
"""Of a step without `data-weight`, from steps.css."""


@dataclass
class Element:
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    def find(self, attribute: str) -> list[Element]:
        """Elements inside with an attribute, in document order."""
        inside = [child for child in self.children if isinstance(child, Element)]
        found: list[Element] = []
        for child in inside:
            found += (
                [child, *child.find(attribute)] if child.has(attribute) else child.find(attribute)
            )
        return found

    def has(self, attribute: str) -> bool:
        return attribute in self.attributes

    @property
    def text(self) -> str:
        parts = (each if isinstance(each, str) else each.text for each in self.children)
        return "".join(parts)


class Page(HTMLParser):
    """HTML as a tree below `open[0]`."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open = [Element({})]
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag != "img":
            opened = self.open[-1].children[-1]
            assert isinstance(opened, Element)
            self.open.append(opened)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element({name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


class RenderedCard:
    """A card of the server, in the form in which the scripts answer."""

    def __init__(self, html: str) -> None:
        (self.card,) = Page(html).open[0].find("data-task-id")
        self.parts = {each.attributes["data-part"]: each for each in self.card.find("data-part")}

    def text(self, part: str) -> str:
        return " ".join(self.parts[part].text.split())

    def as_answered(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The fields that `answer` has."""
        bar = self.parts["bar"].attributes
        return {
            "marks": {name: self.mark(name, value) for name, value in answer["marks"].items()},
            "texts": {part: self.text(part) for part in answer["texts"]},
            "shown": {part: not self.parts[part].has("hidden") for part in answer["shown"]},
            "bar": [bar["aria-valuenow"], bar["aria-valuetext"]],
            "basis": self.parts["basis"].attributes["data-basis"],
            "blocks": len(elements(self.parts["blocks"])),
            "meta": [each.text for each in elements(self.parts["meta"])],
            "steps": [step_data(each) for each in elements(self.parts["steps"])],
            "past": [past_data(each) for each in elements(self.parts["past"])],
            "pictures": [picture_data(each) for each in elements(self.parts["pictures"])],
        }

    def mark(self, name: str, value: object) -> object:
        attribute = f"data-{name}"
        if isinstance(value, bool):
            return self.card.has(attribute)
        return self.card.attributes.get(attribute, "")


def elements(parent: Element) -> list[Element]:
    return [child for child in parent.children if isinstance(child, Element)]


def step_data(step: Element) -> dict[str, Any]:
    (time,) = step.find("data-part")
    bar = elements(step)[0]
    return {
        "step": step.attributes["data-step"],
        "time": time.text,
        "weight": float(step.attributes.get("data-weight", CSS_WEIGHT)),
        "current": step.has("data-current"),
        "live": step.has("aria-current"),
        "fill": bar.attributes.get("data-fill"),
    }


def past_data(row: Element) -> dict[str, Any]:
    """A row of an earlier attempt, and the step that is marked in it."""
    (current,) = row.find("data-current")
    return {"label": row.attributes["aria-label"], "step": current.attributes["data-step"]}


def picture_data(item: Element) -> dict[str, Any]:
    shown = {"drawn": item.has("data-current")}
    if not item.has("data-stored"):
        return {**shown, "label": item.text.strip()}
    if item.has("data-withheld"):
        return shown
    (link,) = item.find("data-picture-key")
    (image,) = item.find("alt")
    classes = [each.attributes["class"] for each in item.find("class")]
    return {
        **shown,
        "url": link.attributes["href"],
        "thumbnail": image.attributes["src"],
        "alt": image.attributes["alt"],
        "favourite": "frame__heart" in classes,
        "demo": "frame__demo" in classes,
    }


def rendered(
    task: TaskData, state: TaskState, queue: QueuePosition | None, now: float
) -> RenderedCard:
    card = to_paint(
        {"id": TASK, "task": task, "state": state, "queue": queue}, datetime.fromtimestamp(now, UTC)
    )
    return RenderedCard(render_to_string("studio/_card.html", {"card": card}))
