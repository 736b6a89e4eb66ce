"""Tasks in the JSON of a page, without what the page's scripts add again.

Their reader, and the twin of this file, is `readTask` in static/studio/js/state/task-store.js.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypedDict

from generation.protocol import ImageData, empty_state
from generation.selectors import Card

DEFAULTS = {"negative_prompt": "", "seed": None, "parent": None}


class EmbeddedTask(TypedDict):
    id: str
    task: dict[str, Any]
    state: dict[str, Any]


def embedded(card: Card) -> EmbeddedTask:
    """Without values that are as usual, the request key, and URLs that follow from the ids."""
    task, state = card["task"], differing(card["state"], empty_state(card["id"]))
    if card["state"]["images"]:
        state["images"] = [without_urls(image) for image in card["state"]["images"]]
    return {
        "id": card["id"],
        "task": without(differing(task, DEFAULTS), "request_key"),
        "state": state,
    }


def without_prompts(tasks: list[EmbeddedTask], in_html: Collection[str]) -> list[EmbeddedTask]:
    """Scripts read the prompts of the cards `in_html` there, except removed ones."""
    return [
        {**each, "task": without(each["task"], "prompt")}
        if each["id"] in in_html and each["task"]["prompt"]
        else each
        for each in tasks
    ]


def differing(values: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in values.items() if name not in usual or value != usual[name]
    }


def without_urls(image: ImageData) -> dict[str, Any]:
    return without(image, "url", "thumbnail_url")


def without(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}
