"""Picture files, to browsers by their session and to programs by their token."""

from __future__ import annotations

import unicodedata
import uuid
from math import ceil
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from generation import images, selectors
from generation.client_address import client_address
from generation.conversation import TokenThrottled, token_in, user_of_token
from generation.exceptions import NotFound
from generation.models import GeneratedImage

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
        user = viewer(request)
    except TokenThrottled as throttled:
        return HttpResponse(status=429, headers={"Retry-After": str(ceil(throttled.wait))})
    if user is None:
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    if not user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    image = image_or_404(user, task_id, index)
    if small:
        kept_for = KEPT if image.thumbnail else 0
        return file_response(image.thumbnail or image.file, kept_for=kept_for)
    save_as = speaking_name(image) if request.GET.get("download") == "1" else ""
    return file_response(image.file, kept_for=KEPT, save_as=save_as)


def viewer(request: HttpRequest) -> User | AnonymousUser | None:
    """Who asks; None for a token that is not valid; raises TokenThrottled.

    What else stands in Authorization belongs to a proxy in front, and the session counts.
    """
    authorization = request.headers.get("Authorization", "")
    token = token_in(authorization)
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


def speaking_name(image: GeneratedImage) -> str:
    """What the picture is called once it has been saved: "liujuan-<prompt>-<seed>.jpg"."""
    prompt = unicodedata.normalize("NFC", image.task.prompt)[:MAX_PROMPT_LOOK]
    # letters, marks and digits of any script: nothing that a file system or shell minds
    words = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in prompt).split()
    slug = "-".join(words)[:MAX_SLUG].strip("-")
    suffix = image.file.rpartition(".")[2]
    return "-".join(filter(None, ("liujuan", slug, f"{image.seed}.{suffix}")))


def file_response(name: str, *, kept_for: int, save_as: str = "") -> HttpResponse:
    """The whole file (at most a few MB); `kept_for`: seconds in this person's own cache.

    `save_as`: the name under which the browser shall save it instead of showing it.
    With ACCEL_REDIRECT it names the file, and the proxy in front sends it.
    """
    response = HttpResponse(content_type=images.content_type(name))
    response["Cache-Control"] = f"private, max-age={kept_for}"
    if save_as:
        response["Content-Disposition"] = content_disposition_header(True, save_as)
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
