"""A task as programs see it: in the API, and in messages to webhooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.urls import reverse

from generation.protocol import ImageData, TaskData
from generation.selectors import Card

API = "generation.api.routes"
"""Its addresses; resolving them loads the API."""

Absolute = Callable[[str], str]
"""From a path to the URL that a program can use."""

STATE = (
    "seq",
    "status",
    "step",
    "progress",
    "basis",
    "eta_seconds",
    "attempt",
    "image",
    "cancel_requested",
    "cancel_reason",
    "waiting",
    "error",
    "submitted_at",
    "claimed_at",
    "ended_at",
    "wait_seconds",
    "run_seconds",
)
"""Fields of the state that are shown unchanged."""

OPERATIONS = {
    "self": "task",
    "events": "events",
    "stream": "stream",
    "cancel": "cancel",
    "retry": "retry",
}


def task_resource(card: Card, absolute: Absolute) -> dict[str, Any]:
    task, state = card["task"], card["state"]
    shown: Mapping[str, Any] = state
    return {
        "id": card["id"],
        **{name: shown[name] for name in STATE},
        "queue": card["queue"],
        "settings": settings_of(task, seed=state["seed"]),
        "requested_seed": task["seed"],
        "parent": task["parent"],
        "created": task["created"],
        "cancel_after": task["cancel_after"],
        "pictures": [picture_resource(card["id"], each, absolute) for each in state["images"]],
        "urls": {
            **{name: absolute(api_path(route, card["id"])) for name, route in OPERATIONS.items()},
            "page": absolute(reverse("task", args=[card["id"]])),
        },
    }


def settings_of(task: TaskData, *, seed: int | None) -> dict[str, Any]:
    return {
        "prompt": task["prompt"],
        "negative_prompt": task["negative_prompt"],
        "model": task["model"],
        "size": f"{task['width']}x{task['height']}",
        "n": task["n"],
        "steps": task["steps"],
        "guidance": task["guidance"],
        "seed": task["seed"] if seed is None else seed,
    }


def picture_resource(task_id: str, picture: ImageData, absolute: Absolute) -> dict[str, Any]:
    return {
        "index": picture["index"],
        "width": picture["width"],
        "height": picture["height"],
        "seed": picture["seed"],
        "demo": picture["demo"],
        "favourite": bool(picture.get("favourite")),
        "url": absolute(picture["url"]),
        "thumbnail_url": absolute(picture["thumbnail_url"]),
        "settings_url": absolute(api_path("picture", task_id, picture["index"])),
        "withheld": picture.get("notice"),
    }


def api_path(route: str, *arguments: object) -> str:
    return reverse(f"api:{route}", API, args=arguments)
