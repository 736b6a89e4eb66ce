"""The trash page: items can be restored, or deleted before they expire."""

from __future__ import annotations

import uuid
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from generation import selectors, services
from generation.clock import clock
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput, NotFound
from generation.sessions import request_buckets
from generation.views.compression import compressed
from generation.views.error_pages import error_page
from generation.views.images import file_response
from generation.views.json_api import keys_of, task_ids_of
from generation.views.pages import live_data


@require_safe
@login_required
@never_cache
@compressed
def trash(request: HttpRequest) -> HttpResponse:
    live = live_data(request)
    found = selectors.trash(cast("User", request.user), now=clock.now())
    return render(request, "studio/trash.html", {"trash": found, **live})


@require_safe
@login_required
def thumbnail(request: HttpRequest, task_id: uuid.UUID, index: int) -> HttpResponseBase:
    """Thumbnail of a picture in the trash, for its owner only; its usual URL returns 404."""
    owner = cast("User", request.user)
    image = selectors.picture_in_trash(owner, task_id, index, now=clock.now())
    if image.withheld:
        return error_page(request, ErrorCode.PICTURE_WITHHELD, 403)
    return file_response(request, image, small=True)


@require_POST
@login_required
@never_cache
def change(request: HttpRequest) -> HttpResponse:
    """Restore or delete the selected items; `action` is the value of the form's button."""
    owner = cast("User", request.user)
    try:
        if not request_buckets.take(owner.pk):
            raise InvalidInput(ErrorCode.FLOODING)
        messages.info(request, changed(request, owner))
    except InvalidInput as error:
        messages.warning(request, error.code.label)
    except NotFound:
        messages.warning(
            request, _("Some of these items are no longer in the trash. Select again.")
        )
    return redirect("trash")


def changed(request: HttpRequest, owner: User) -> str:
    """Run the action and return a sentence that says what was done.

    Raises InvalidInput and NotFound.
    """
    now, action = clock.now(), request.POST.get("action")
    if action == "empty":
        n = services.empty_trash(owner=owner, now=now)
        return ngettext("Deleted for good: {n} item", "Deleted for good: {n} items", n).format(n=n)
    pictures = keys_of(request.POST.getlist("pictures"))
    tasks = task_ids_of(request.POST.getlist("tasks"))
    if not pictures and not tasks:
        return _("Nothing was selected.")
    if action == "restore":
        services.restore(owner=owner, pictures=pictures, tasks=tasks, now=now)
        n = len(pictures) + len(tasks)
        return ngettext("Restored: {n} item", "Restored: {n} items", n).format(n=n)
    if action == "delete":
        n = services.delete_permanently(owner=owner, pictures=pictures, tasks=tasks, now=now)
        return ngettext("Deleted for good: {n} item", "Deleted for good: {n} items", n).format(n=n)
    raise InvalidInput(ErrorCode.BAD_MESSAGE, "action")
