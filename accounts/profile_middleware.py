"""Gives requests the language and the time zone of the user's profile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation
from django.utils.deprecation import MiddlewareMixin

from accounts.profiles import keep_language, profile_of, zone_of

NOT_OF_USERS = {"healthz", "readyz", "metrics", "javascript-catalog"}
"""Names of views that do not read the user, and need not."""


class ProfileMiddleware(MiddlewareMixin):
    """Also keeps the language in the cookie: for the pages after a sign-out, and for views that do
    not read the user.
    """

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> None:
        timezone.deactivate()
        match = request.resolver_match
        if (
            settings.SESSION_COOKIE_NAME not in request.COOKIES
            or iscoroutinefunction(view)
            or (match is not None and match.url_name in NOT_OF_USERS)
        ):
            return
        request.has_profile = True  # type: ignore[attr-defined]
        timezone.activate(zone_of(request.user) or timezone.get_default_timezone())
        profile = profile_of(request.user)
        if profile is not None and profile.language:
            translation.activate(profile.language)
            request.LANGUAGE_CODE = profile.language

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if not hasattr(request, "has_profile"):
            return response
        profile, name = profile_of(request.user), settings.LANGUAGE_COOKIE_NAME
        if profile and profile.language not in ("", request.COOKIES.get(name)):
            keep_language(response, profile.language)
        return response
