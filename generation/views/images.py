"""Picture files, to browsers by their session and to programs by their token."""

from __future__ import annotations

import uuid
from math import ceil
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from accounts.client_address import client_address
from accounts.token_authentication import TokenThrottled, user_of_token
from generation import images, selectors, unicode_text
from generation.exceptions import NotFound
from generation.models import GeneratedImage
from generation.sessions import bearer_token

KEPT = 86_400
"""Seconds a browser keeps a picture: its file never changes."""

MAX_SLUG = 40
MAX_PROMPT_LOOK = 400
"""Characters of the prompt in a file's name, and so many of which these are taken."""


@require_safe
def picture(request: HttpRequest, task_id: uuid.UUID, index: int) -> HttpResponse:
    return file_of(request, task_id, index, small=False)


@require_safe
def thumbnail(request: HttpRequest, task_id: uuid.UUID, index: int) -> HttpResponse:
    """The thumbnail; until it has been made, the picture itself."""
    return file_of(request, task_id, index, small=True)


def file_of(request: HttpRequest, task_id: uuid.UUID, index: int, *, small: bool) -> HttpResponse:
    """To browsers by their session, to programs by the token that opened their socket."""
    try:
        user = viewing_user(request)
    except TokenThrottled as throttled:
        return HttpResponse(status=429, headers={"Retry-After": str(ceil(throttled.wait))})
    if user is None:
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    if not user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    image = image_or_404(user, task_id, index)
    if small:
        kept_for = KEPT if image.thumbnail else 0
        return file_response(image, small=True, kept_for=kept_for)
    download = request.GET.get("download") == "1"
    return file_response(image, kept_for=KEPT, download=download)


def viewing_user(request: HttpRequest) -> User | AnonymousUser | None:
    """Who asks; None for a token that is not valid; raises TokenThrottled.

    What else stands in Authorization belongs to a proxy in front, and the session counts.
    """
    authorization = request.headers.get("Authorization", "")
    token = bearer_token(authorization)
    if token is None:
        refused = authorization.lower().startswith("bearer") and not request.user.is_authenticated
        return None if refused else request.user
    user = user_of_token(token, address=client_address(request))
    return user if user is not None and user.is_active else None


def image_or_404(user: User | AnonymousUser, task_id: uuid.UUID, index: int) -> GeneratedImage:
    try:
        return selectors.picture_of(task_id, index, user)
    except NotFound as error:
        raise Http404 from error


def download_name(image: GeneratedImage, file: str) -> str:
    """What `file` of the picture is called once it is saved: "liujuan-<prompt>-<seed>.jpg"."""
    words = unicode_text.slug(image.task.prompt[:MAX_PROMPT_LOOK], MAX_SLUG)
    suffix = file.rpartition(".")[2]
    return "-".join(filter(None, ("liujuan", words, f"{image.seed}.{suffix}")))


def file_response(
    image: GeneratedImage, *, kept_for: int, small: bool = False, download: bool = False
) -> HttpResponse:
    """The whole file (at most a few MB); `kept_for`: seconds in this person's own cache.

    `small`: the thumbnail, once there is one. `download`: the browser saves it instead of showing
    it. Saved from the page it gets the same name.
    With ACCEL_REDIRECT the answer names the file, and the proxy in front sends it.
    """
    name = (small and image.thumbnail) or image.file
    response = HttpResponse(content_type=images.content_type(name))
    response["Cache-Control"] = f"private, max-age={kept_for}"
    disposition = content_disposition_header(download, download_name(image, name))
    response["Content-Disposition"] = disposition or "inline"
    path = images.path_of(name)
    try:
        if settings.ACCEL_REDIRECT:
            path.stat()  # the proxy's own 404 would be no page of ours
            response["X-Accel-Redirect"] = f"{settings.ACCEL_REDIRECT}/{quote(name)}"
        else:
            response.content = path.read_bytes()
    except FileNotFoundError as error:
        raise Http404 from error
    return response
