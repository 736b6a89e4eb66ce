"""The page of the profile, and the two choices that every page offers: language and theme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django.views.i18n import LANGUAGE_QUERY_PARAMETER
from django.views.i18n import set_language as set_language_cookie

from accounts.forms import NameField
from accounts.models import MAX_SHOWN_NAME, Language, Profile, Theme
from accounts.profiles import (
    UNIVERSAL,
    change_profile,
    is_time_zone,
    keep_language,
    profile_of,
    zones_of_regions,
)

if TYPE_CHECKING:
    from django.contrib.auth.models import User

FIELDS = ("shown_name", "language", "theme", "time_zone")


def zone_choices() -> list[tuple[str, Any]]:
    """The installation's, UTC, then those of places by region."""
    own = gettext("that of the installation (%(zone)s)")
    regions = [
        (region, [(name, name.replace("_", " ")) for name in names])
        for region, names in zones_of_regions().items()
    ]
    default = own % {"zone": timezone.get_default_timezone_name()}
    return [("", default), (UNIVERSAL, UNIVERSAL), *regions]


class ProfileForm(forms.Form):
    shown_name = NameField(
        label=gettext_lazy("Shown name"),
        max_length=MAX_SHOWN_NAME,
        required=False,
        help_text=gettext_lazy("In your menu, and for staff beside your username."),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"), choices=Language.choices, required=False
    )
    theme = forms.ChoiceField(label=gettext_lazy("Theme"), choices=Theme.choices, required=False)
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        choices=zone_choices,
        required=False,
        help_text=gettext_lazy(
            "Of dates and times. Daily limits renew at midnight of the installation."
        ),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def profile(request: HttpRequest) -> HttpResponse:
    user = cast("User", request.user)
    stored = profile_of(user) or Profile(user=user)
    initial = {name: getattr(stored, name) for name in FIELDS}
    if not is_time_zone(stored.time_zone):
        initial["time_zone"] = ""
    form = ProfileForm(request.POST or None, initial=initial)
    if not form.is_valid():
        saved = "saved" in request.GET
        return render(request, "account/profile.html", {"form": form, "saved": saved})
    change_profile(user, **form.cleaned_data)
    response = redirect(f"{reverse('account_profile')}?saved")
    keep_language(response, form.cleaned_data["language"])
    return response


@require_POST
@login_required
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Store `theme`; nothing is shown."""
    theme = request.POST.get("theme", "")
    if theme not in Theme.values:
        return HttpResponse(status=400)
    change_profile(cast("User", request.user), theme=theme)
    return HttpResponse(status=204)


def choose_language(request: HttpRequest) -> HttpResponseBase:
    """Django's view, which sets a cookie; the language of a user is stored too."""
    language = request.POST.get(LANGUAGE_QUERY_PARAMETER, "")
    if language and language in Language.values and request.user.is_authenticated:
        change_profile(request.user, language=language)
    return set_language_cookie(request)
