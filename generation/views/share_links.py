"""Share links: owners of tasks create and revoke them, anyone with a link may open it."""

from __future__ import annotations

import functools
import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from generation import images, selectors, services
from generation.clock import clock
from generation.exceptions import NotFound
from generation.models import GeneratedImage
from generation.views.images import file_response
from generation.views.json_api import View, json_view
from generation.views.public_url import public_url

PRIVATE = ("parent", "request_key", "expected")
"""Fields of a task that are not shown on its shared page."""


@require_http_methods(["POST", "DELETE"])
@json_view
def share(request: HttpRequest, task_id: uuid.UUID) -> JsonResponse:
    """Create a link (POST) or revoke all links (DELETE) of a task; only for its owner."""
    task = selectors.visible_task(task_id, request.user)
    if task.owner_id != request.user.pk:
        raise NotFound
    if request.method == "DELETE":
        return JsonResponse({"ended": services.revoke_links(task=task)})
    token, expires = services.create_link(task=task, now=clock.now())
    url = public_url(request, reverse("shared", args=[token]))
    return JsonResponse({"url": url, "expires": int(expires.timestamp())})


def unlisted(view: View) -> View:
    """Keep the secret URL of a view from caches, search engines and other sites."""

    @require_safe
    @never_cache
    @functools.wraps(view)
    def unlisted_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        # its pictures may be shown elsewhere: clients of OpenAI get such links
        response["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    return unlisted_view


@unlisted
def shared(request: HttpRequest, token: str) -> HttpResponse:
    link, pictures = selectors.shared_task(token=token, now=clock.now())
    task = link.task.data
    context = {
        "task": {name: value for name, value in task.items() if name not in PRIVATE},
        "pictures": [picture_data(token, image) for image in pictures],
        "expires": link.expires_at,
        "demo": any(image.demo for image in pictures),
    }
    return render(request, "studio/shared.html", context)


@unlisted
def picture(request: HttpRequest, token: str, index: int) -> HttpResponseBase:
    image = shared_image(token, index)
    return file_response(request, image, download=request.GET.get("download") == "1")


@unlisted
def thumbnail(request: HttpRequest, token: str, index: int) -> HttpResponseBase:
    image = shared_image(token, index)
    return file_response(request, image, small=True)


def shared_image(token: str, index: int) -> GeneratedImage:
    _link, pictures = selectors.shared_task(token=token, now=clock.now())
    for image in pictures:
        if image.index == index:
            return image
    raise NotFound


def picture_data(token: str, image: GeneratedImage) -> dict[str, Any]:
    return {
        **image.data,
        "url": reverse("shared-picture", args=[token, image.index]),
        "thumbnail_url": reverse("shared-thumbnail", args=[token, image.index]),
        "thumbnail_width": images.thumbnail_width(image.width, image.height),
    }
