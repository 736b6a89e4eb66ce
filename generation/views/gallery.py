"""The gallery page, the comparison page, and actions on pictures."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import cast

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.db import close_old_connections
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseBase,
    HttpResponseForbidden,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from generation import limits, selectors, services
from generation.clock import clock
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput
from generation.selectors import GalleryFilter
from generation.sessions import allows_request
from generation.views.compression import compressed
from generation.views.error_pages import error_page, rate_limited
from generation.views.json_api import json_body, json_view, keys_of, task_ids_of, texts_in
from generation.views.pages import live_data
from generation.views.zip_download import TooManyZips, Zip, named

DAYS = {"1": 1, "7": 7, "30": 30}
COMPARABLE = range(2, 7)


@require_safe
@never_cache
@compressed
@rate_limited
def gallery(request: HttpRequest) -> HttpResponse:
    """The gallery page; with `fragment=1` only its items, for loading more, or certain pictures."""
    fragment = request.GET.get("fragment") == "1"
    if not request.user.is_authenticated:
        path = request.get_full_path()
        return HttpResponseForbidden() if fragment else redirect_to_login(path)
    if fragment and "picture" in request.GET:
        return tiles(request, request.user)
    live = live_data(request)
    wanted = filter_of(request.GET, clock.now())
    found = selectors.gallery_page(request.user, wanted, request.GET.get("before"))
    context = {**found, **live, "limits": limits}
    template = "studio/_gallery_page.html" if fragment else "studio/gallery.html"
    return render(request, template, context)


def tiles(request: HttpRequest, owner: User) -> HttpResponse:
    """The tiles of the pictures `picture`, as far as they exist."""
    try:
        keys = keys_of(request.GET.getlist("picture"))
    except InvalidInput:
        return HttpResponseBadRequest()
    return render(
        request, "studio/_gallery_page.html", {"items": selectors.gallery_tiles(owner, keys)}
    )


def filter_of(query: Mapping[str, str], now: datetime) -> GalleryFilter:
    """The filter in the query string; unusable values are ignored."""
    status, days = query.get("status", ""), DAYS.get(query.get("days", ""))
    return GalleryFilter(
        text=query.get("q", "")[: limits.MAX_SEARCH].strip(),
        status=status if status in selectors.STATUSES else "",
        model=query.get("model", ""),
        since=None if days is None else now - timedelta(days=days),
        favourite=query.get("favourite") == "1",
    )


@require_safe
@login_required
@never_cache
@rate_limited
def compare(request: HttpRequest) -> HttpResponse:
    live = live_data(request)
    try:
        keys = keys_of(request.GET.getlist("picture"))
        pictures = selectors.pictures_of_keys(cast("User", request.user), keys)
    except InvalidInput as error:
        raise Http404 from error
    if len(pictures) not in COMPARABLE:
        raise Http404
    pictures = [image for image in pictures if not image.withheld]
    if len(pictures) not in COMPARABLE:
        return error_page(request, ErrorCode.PICTURE_WITHHELD, 403)
    context = {
        "comparison": selectors.comparison([selectors.image_detail(image) for image in pictures]),
        **live,
    }
    return render(request, "studio/compare.html", context)


@require_safe
@json_view
def image_detail(request: HttpRequest, task_id: uuid.UUID, index: int) -> JsonResponse:
    return JsonResponse(selectors.visible_image_detail(task_id, index, request.user))


@require_POST
@json_view
def favourite(request: HttpRequest) -> JsonResponse:
    body = json_body(request)
    is_favourite = body.get("favourite")
    if not isinstance(is_favourite, bool):
        raise InvalidInput(ErrorCode.BAD_MESSAGE, "favourite")
    changed = services.set_favourite(
        owner=cast("User", request.user),
        pictures=keys_of(texts_in(body, "pictures")),
        favourite=is_favourite,
    )
    return JsonResponse({"changed": changed})


@require_POST
@json_view
def delete(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"deleted": trash_action(services.move_to_trash, request)})


@require_POST
@json_view
def restore(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"restored": trash_action(services.restore, request)})


def trash_action(service: Callable[..., int], request: HttpRequest) -> int:
    body = json_body(request)
    return service(
        owner=cast("User", request.user),
        pictures=keys_of(texts_in(body, "pictures")),
        tasks=task_ids_of(texts_in(body, "tasks")),
        now=clock.now(),
    )


@require_POST
@never_cache
def archive(request: HttpRequest) -> HttpResponseBase:
    """A zip of the selected pictures, or an error page; the target of a plain form.

    Pictures that were deleted or hidden since the selection are left out.
    """
    if not request.user.is_authenticated:
        return redirect_to_login(reverse("gallery"))
    if not allows_request(request.user.pk):
        return error_page(request, ErrorCode.FLOODING, 429)
    try:
        keys = keys_of(request.POST.getlist("pictures"))
    except InvalidInput as error:
        return error_page(request, error.code, 400)
    pictures = selectors.pictures_left(request.user, keys)
    shown = [image for image in pictures if not image.withheld]
    if pictures and not shown:
        return error_page(request, ErrorCode.PICTURE_WITHHELD, 403)
    files = named(shown)
    if not files:
        raise Http404
    # release the connection: sending takes minutes, and other requests wait for one
    close_old_connections()
    try:
        body = Zip(files, owner_id=request.user.pk)
    except TooManyZips:
        return error_page(request, ErrorCode.FLOODING, 429)
    response = StreamingHttpResponse(body, content_type="application/zip")
    name = f"liujuan-{timezone.localdate():%Y%m%d}-{len(files)}.zip"
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response
