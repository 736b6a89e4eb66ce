"""Pages of the user's programs: their API tokens are created, listed and revoked here."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import secret_box
from accounts.client_address import client_address
from accounts.confirmation import confirmed
from accounts.forms import NameField
from accounts.models import TokenScope
from accounts.reset_links import absolute_url
from accounts.tokens import MAX_TOKENS_OF_USER, TooManyTokens, create_token, revoke_token

if TYPE_CHECKING:
    from django.contrib.auth.models import User

NEW_TOKEN = "accounts.new_token"  # noqa: S105  a key of sessions
"""Holds the encrypted text of a token until the page has shown it."""

LIFETIMES = (
    ("7", gettext_lazy("7 days")),
    ("30", gettext_lazy("30 days")),
    ("90", gettext_lazy("90 days")),
    ("365", gettext_lazy("a year")),
    ("", gettext_lazy("until I revoke it")),
)
DEFAULT_DAYS = "90"


class ProgramForm(forms.Form):
    name = NameField(label=gettext_lazy("Name"), max_length=100)
    scope = forms.ChoiceField(label=gettext_lazy("It may"), choices=TokenScope.choices)
    days = forms.ChoiceField(label=gettext_lazy("It works for"), choices=LIFETIMES, required=False)


@require_safe
@login_required
@never_cache
def programs(request: HttpRequest) -> HttpResponse:
    """The tokens of the user; a new one is shown once."""
    user = cast("User", request.user)
    encrypted = request.session.pop(NEW_TOKEN, None)
    context = {
        "tokens": user.tokens.order_by("-created", "-pk"),
        "now": timezone.now(),
        "most": MAX_TOKENS_OF_USER,
        "new_token": encrypted and secret_box.decrypt(encrypted),
        "api_url": f"{site_url(request)}api/v1/",
        "openai_url": f"{site_url(request)}v1",
        "mcp_url": f"{site_url(request)}mcp" if settings.MCP else "",
    }
    return render(request, "account/programs.html", context)


def site_url(request: HttpRequest) -> str:
    """PUBLIC_URL, or the address by which this browser came."""
    path = reverse("studio")
    return absolute_url(path) if settings.PUBLIC_URL else request.build_absolute_uri(path)


@require_http_methods(["GET", "POST"])
@never_cache
@confirmed
def new_program(request: HttpRequest) -> HttpResponse:
    """The form for a token. It is shown by the next page, so that a reload creates no other."""
    initial = {"scope": TokenScope.WRITE, "days": DEFAULT_DAYS}
    form = ProgramForm(request.POST or None, initial=initial)
    if form.is_valid() and create(request, form.cleaned_data):
        return redirect("programs")
    return render(request, "account/new_program.html", {"form": form})


def create(request: HttpRequest, fields: dict[str, Any]) -> bool:
    now, days = timezone.now(), fields["days"]
    try:
        token = create_token(
            owner=cast("User", request.user),
            name=fields["name"],
            now=now,
            scope=TokenScope(fields["scope"]),
            expires_at=now + timedelta(days=int(days)) if days else None,
            address=client_address(request),
        )
    except TooManyTokens:
        sentence = _("You have %(number)s tokens. Revoke one that you no longer need.")
        messages.error(request, sentence % {"number": MAX_TOKENS_OF_USER})
        return False
    request.session[NEW_TOKEN] = secret_box.encrypt(token)
    return True


@require_POST
@login_required
@never_cache
def revoke_program(request: HttpRequest, number: int) -> HttpResponse:
    revoked = revoke_token(
        owner=cast("User", request.user), number=number, address=client_address(request)
    )
    if revoked is None:
        messages.info(request, _("This token was revoked before."))
    else:
        sentence = _("Revoked: %(name)s. The program is signed out.")
        messages.success(request, sentence % {"name": revoked})
    return redirect("programs")
