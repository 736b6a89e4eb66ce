"""The account pages about a user's data: what there is, its export, and its deletion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.client_address import client_address
from accounts.confirmation import confirmed
from accounts.notices import mail_deletion_notice
from accounts.security_log import SecurityEvent, log_event
from generation import selectors, services
from generation.choices import RetentionKind
from generation.clock import clock
from generation.error_codes import ErrorCode
from generation.exceptions import LastSuperuser
from generation.export_turns import ExportRunning
from generation.views.data_export import Export
from generation.views.error_pages import error_page, rate_limited


@require_safe
@login_required
@never_cache
@rate_limited
def overview(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    context = {"owned": selectors.owned_data(user), "kept": kept_rows(user)}
    return render(request, "account/data.html", context)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRow:
    """How long one kind of data is kept, and what happens then; `then` is empty for ever."""

    title: str
    time: str
    then: str


def kept_rows(user: User) -> list[KeptRow]:
    titles_and_ends = {
        RetentionKind.PROMPTS: (
            _("Prompts"),
            _("then removed from the task, from its picture files and from the search"),
        ),
        RetentionKind.LOGS: (
            pgettext("in the account", "Logs"),
            _("then only the first and last event stay, and those of pictures"),
        ),
        RetentionKind.PICTURES: (
            pgettext("in the account", "Pictures"),
            _("then moved to the trash, unless a share link shows them"),
        ),
        RetentionKind.FAVOURITES: (
            _("Favourites"),
            _("then moved to the trash, unless a share link shows them"),
        ),
        RetentionKind.TRASH: (_("Trash"), _("then gone for good")),
    }
    days_kept = selectors.days_kept_of(user.pk)
    rows = []
    for kind, (title, then) in titles_and_ends.items():
        days = days_kept[kind]
        time = ngettext("{n} day", "{n} days", days).format(n=days) if days else _("for ever")
        rows.append(KeptRow(title=title, time=time, then=then if days else ""))
    return rows


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@confirmed
def export(request: HttpRequest) -> HttpResponseBase:
    """Say what is in the zip; POST sends it."""
    user, now = user_of(request), clock.now()
    if request.method != "POST":
        return render(request, "account/data_export.html", {"owned": selectors.owned_data(user)})
    # release the connection: sending takes minutes, and other requests wait for one
    close_old_connections()
    try:
        body = Export(user, now=now)
    except ExportRunning:
        return error_page(request, ErrorCode.EXPORT_RUNNING, 429)
    log(request, SecurityEvent.DATA_EXPORTED)
    response = StreamingHttpResponse(body, content_type="application/zip")
    name = f"liujuan-{user.get_username()}-{timezone.localdate(now):%Y%m%d}.zip"
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@confirmed
def delete(request: HttpRequest) -> HttpResponse:
    """Show what will be lost; POST requests the deletion."""
    user = user_of(request)
    if request.method != "POST":
        context = {"owned": selectors.owned_data(user), "delay": services.DELETION_DELAY}
        return render(request, "account/data_delete.html", context)
    try:
        due = services.request_deletion(user=user, now=clock.now())
    except LastSuperuser as error:
        return error_page(request, error.code, 409)
    log(request, SecurityEvent.DELETION_REQUESTED, due=due.isoformat(timespec="seconds"))
    mail_deletion_notice(request, user, due)
    return redirect("account_data")


@require_POST
@login_required
def keep(request: HttpRequest) -> HttpResponse:
    if services.keep_account(user=user_of(request)):
        log(request, SecurityEvent.DELETION_WITHDRAWN)
        messages.success(request, _("Your account stays. Programs can use their tokens again."))
    return redirect("account_data")


def log(request: HttpRequest, event: SecurityEvent, **details: object) -> None:
    name, address = user_of(request).get_username(), client_address(request)
    log_event(event, account=name, address=address, **details)


def user_of(request: HttpRequest) -> User:
    return cast("User", request.user)
