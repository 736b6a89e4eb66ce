"""Tasks, pictures and models as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from generation import task_resource as resources
from generation.protocol import ImageData, ModelData
from generation.selectors import Card, ImageDetail
from generation.task_resource import api_path
from generation.views.public_url import public_url


def task_resource(card: Card, request: HttpRequest) -> dict[str, Any]:
    return resources.task_resource(card, partial(public_url, request))


def picture_resource(task_id: str, picture: ImageData, request: HttpRequest) -> dict[str, Any]:
    return resources.picture_resource(task_id, picture, partial(public_url, request))


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
    return public_url(request, api_path(route, *arguments))


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
