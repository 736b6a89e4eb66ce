"""Tasks, pictures and models as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse

from generation.api import ROUTES
from generation.protocol import ImageData, ModelData, TaskData
from generation.selectors import Card, ImageDetail
from generation.views.public_url import public_url

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


def task_resource(card: Card, request: HttpRequest) -> dict[str, Any]:
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
        "pictures": [picture_resource(card["id"], each, request) for each in state["images"]],
        "urls": {
            **{name: url_of(request, route, card["id"]) for name, route in OPERATIONS.items()},
            "page": public_url(request, reverse("task", args=[card["id"]])),
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


def picture_resource(task_id: str, picture: ImageData, request: HttpRequest) -> dict[str, Any]:
    return {
        "index": picture["index"],
        "width": picture["width"],
        "height": picture["height"],
        "seed": picture["seed"],
        "demo": picture["demo"],
        "favourite": bool(picture.get("favourite")),
        "url": public_url(request, picture["url"]),
        "thumbnail_url": public_url(request, picture["thumbnail_url"]),
        "settings_url": url_of(request, "picture", task_id, picture["index"]),
    }


def picture_settings(detail: ImageDetail, request: HttpRequest) -> dict[str, Any]:
    return {
        **picture_resource(detail["task"], detail, request),
        "task_url": url_of(request, "task", detail["task"]),
        "bytes": detail["bytes"],
        "format": detail["format"],
        "seconds": detail["seconds"],
        "parameters": detail["parameters"],
    }


def model_resource(model: ModelData) -> dict[str, Any]:
    return {
        "id": model["name"],
        "is_possible": model["ready"],
        "reason": model["reason"],
        "replicas": model["replicas"],
        "seconds_per_step": model["seconds_per_step"],
        "wait": model["wait"],
    }


def url_of(request: HttpRequest, route: str, *arguments: object) -> str:
    return public_url(request, reverse(f"api:{route}", ROUTES, args=arguments))


def answer(
    body: dict[str, Any] | None, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """JSON, or nothing for None, that no cache keeps."""
    if body is None:
        response = HttpResponse(status=status)
        del response["Content-Type"]
    else:
        response = JsonResponse(body, status=status)
    response["Cache-Control"] = "no-store"
    for name, value in (headers or {}).items():
        response[name] = value
    return response
