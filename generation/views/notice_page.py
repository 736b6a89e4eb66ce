"""The page that says why a picture is withheld, where its owner can appeal."""

from __future__ import annotations

import uuid
from typing import cast

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from generation import limits, selectors, services
from generation.clock import clock
from generation.error_codes import ErrorCode
from generation.exceptions import AlreadyAppealed, InvalidInput, TransitionRefused
from generation.sessions import allows_request
from generation.views.error_pages import rate_limited


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
@rate_limited
def notice(request: HttpRequest, task_id: uuid.UUID, index: int) -> HttpResponse:
    """The page, with `tile` only what stands in the picture's place.

    The page's form sends an appeal to the same address.
    """
    if "tile" in request.GET:
        return tile(request, task_id, index)
    if request.method != "POST":
        return notice_page(request, task_id, index)
    owner = cast("User", request.user)
    text = request.POST.get("text", "")
    if not allows_request(owner.pk):
        return notice_page(request, task_id, index, status=429, error=ErrorCode.FLOODING, text=text)
    try:
        services.appeal(owner=owner, task_id=task_id, index=index, text=text, now=clock.now())
    except InvalidInput as error:
        return notice_page(request, task_id, index, status=400, error=error.code, text=text)
    except (AlreadyAppealed, TransitionRefused):
        # a second press, or a decision meanwhile: the page says how it stands
        pass
    return redirect("picture-notice", task_id, index)


def tile(request: HttpRequest, task_id: uuid.UUID, index: int) -> HttpResponse:
    image = selectors.own_picture(cast("User", request.user), task_id, index)
    found = selectors.notice_of(image)
    if found is None:
        raise Http404
    context = {"notice": found, "url": reverse("picture-notice", args=[task_id, index])}
    return render(request, "studio/_withheld.html", context)


@never_cache
def notice_page(
    request: HttpRequest,
    task_id: uuid.UUID,
    index: int,
    *,
    status: int = 200,
    error: ErrorCode | None = None,
    text: str = "",
) -> HttpResponse:
    """Why the owner's picture is withheld; leads to the picture if it is not.

    `error`, `text`: of an appeal that was refused.
    """
    image = selectors.own_picture(cast("User", request.user), task_id, index)
    found = selectors.notice_of(image)
    if found is None:
        return redirect(f"{reverse('task', args=[task_id])}#picture={task_id}:{index}")
    context = {"image": image, "notice": found, "limits": limits, "error": error, "text": text}
    return render(request, "studio/notice.html", context, status=status)
