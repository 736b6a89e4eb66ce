"""Picture files; browsers authenticate with their session, programs with their token."""

from __future__ import annotations

import uuid
from math import ceil
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, quote_etag
from django.views.decorators.http import require_safe

from accounts.client_address import client_address
from accounts.second_factor import lacks_second_factor
from accounts.token_authentication import TokenThrottled, authenticate_token
from generation import images, selectors, unicode_text
from generation.exceptions import PictureWithheld
from generation.models import GeneratedImage
from generation.sessions import bearer_token
from generation.views.notice_page import notice_page
from generation.views.problem_json import problem

REVALIDATED = "private, no-cache"
"""Browsers keep pictures, and ask before they show them again: a reviewer may have hidden them."""

MAX_SLUG = 40
MAX_SLUG_SOURCE = 400
"""Characters of the prompt from which the slug in a file's name is made."""


@require_safe
def picture(request: HttpRequest, task_id: uuid.UUID, index: int) -> HttpResponseBase:
    return file_of(request, task_id, index, small=False)


@require_safe
def thumbnail(request: HttpRequest, task_id: uuid.UUID, index: int) -> HttpResponseBase:
    """The thumbnail, or the picture itself until the thumbnail has been made."""
    return file_of(request, task_id, index, small=True)


def file_of(
    request: HttpRequest, task_id: uuid.UUID, index: int, *, small: bool
) -> HttpResponseBase:
    """The picture's file, or a 401, 403, 404 or 429 response, or a redirect to the sign-in page."""
    try:
        user = viewing_user(request)
    except TokenThrottled as throttled:
        return HttpResponse(status=429, headers={"Retry-After": str(ceil(throttled.wait))})
    if user is None:
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    if not user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    try:
        image = selectors.shown_picture(task_id, index, user)
    except PictureWithheld as error:
        if bearer_token(request.headers.get("Authorization", "")) is not None:
            return problem(error.code, 403)
        return notice_page(request, task_id, index, status=403)
    download = not small and request.GET.get("download") == "1"
    return file_response(request, image, small=small, download=download)


def viewing_user(request: HttpRequest) -> User | AnonymousUser | None:
    """The requesting user; None if the token is not valid; raises TokenThrottled.

    Other content of Authorization belongs to a proxy in front; then the session counts.
    """
    authorization = request.headers.get("Authorization", "")
    token = bearer_token(authorization)
    if token is None:
        refused = authorization.lower().startswith("bearer") and not request.user.is_authenticated
        return None if refused else request.user
    row = authenticate_token(token, address=client_address(request))
    if row is None or not row.owner.is_active or lacks_second_factor(row.owner):
        return None
    return row.owner


def download_name(image: GeneratedImage, file: str) -> str:
    """Name under which the picture's `file` is saved: "liujuan-<prompt>-<seed>.jpg"."""
    words = unicode_text.slug(image.task.prompt[:MAX_SLUG_SOURCE], MAX_SLUG)
    suffix = file.rpartition(".")[2]
    return "-".join(filter(None, ("liujuan", words, f"{image.seed}.{suffix}")))


def file_response(
    request: HttpRequest, image: GeneratedImage, *, small: bool = False, download: bool = False
) -> HttpResponseBase:
    """A response with the whole file (at most a few MB), or a 304; Http404 if it is missing.

    `small`: the thumbnail, if there is one. `download`: the browser saves the file instead of
    showing it; the name is the same both ways. With ACCEL_REDIRECT the response only names the
    file, and the proxy in front sends it, or the 304.
    """
    name = (small and image.thumbnail) or image.file
    response = HttpResponse(content_type=images.content_type(name))
    response["Cache-Control"] = REVALIDATED
    disposition = content_disposition_header(download, download_name(image, name))
    response["Content-Disposition"] = disposition or "inline"
    path = images.path_of(name)
    try:
        if settings.ACCEL_REDIRECT:
            path.stat()  # for a missing file the proxy would send its own 404 page
            response["X-Accel-Redirect"] = f"{settings.ACCEL_REDIRECT}/{quote(name)}"
            return response
        # no two files of a picture have the same name
        response["ETag"] = quote_etag(path.name)
        known = get_conditional_response(request, etag=response["ETag"], response=response)
        if known is response:
            response.content = path.read_bytes()
    except FileNotFoundError as error:
        raise Http404 from error
    return known or response
