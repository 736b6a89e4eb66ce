"""Pages that ask for a password, those of the admin included, with their rate limits."""

from __future__ import annotations

from math import ceil
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.forms import AdminPasswordChangeForm
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import (
    LoginView,
    LogoutView,
    PasswordChangeView,
    redirect_to_login,
)
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, ngettext

from accounts.sign_in import SignInThrottled, check_password
from generation import selectors

BUSY_RETRY = 5
"""Retry-After in seconds when too many people sign in at once."""


class SignInForm(AuthenticationForm):
    throttled: SignInThrottled | None = None
    """Set if the password was not checked because of a limit."""

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except SignInThrottled as throttled:
            self.throttled = throttled
            raise forms.ValidationError(sentence_of(throttled), code="throttled") from throttled


class PasswordForm(AdminPasswordChangeForm):
    """Django's form; checks of the old password are limited like those of the sign-in page."""

    throttled: SignInThrottled | None = None

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        password: str = self.cleaned_data["old_password"]
        try:
            right = check_password(self.request, self.user, password, purpose="password_change")
        except SignInThrottled as throttled:
            self.throttled = throttled
            raise forms.ValidationError(sentence_of(throttled), code="throttled") from throttled
        if not right:
            code = "password_incorrect"
            raise forms.ValidationError(self.error_messages[code], code=code)
        return password


def sentence_of(throttled: SignInThrottled) -> str:
    if not throttled.wait:
        return gettext("Many people are signing in right now. Try again in a few seconds.")
    seconds = ceil(throttled.wait)
    return ngettext(
        "Too many attempts. Wait %(seconds)s second, then try again.",
        "Too many attempts. Wait %(seconds)s seconds, then try again.",
        seconds,
    ) % {"seconds": seconds}


class ThrottleResponseMixin:
    """For views with a form whose password checks are limited."""

    def form_invalid(self, form: Any) -> HttpResponse:
        """Render the form with its errors; status 429 or 503 if the password was not checked."""
        response: HttpResponse = super().form_invalid(form)  # type: ignore[misc]
        throttled: SignInThrottled | None = form.throttled
        if throttled is not None:
            response.status_code = 429 if throttled.wait else 503
            response["Retry-After"] = str(ceil(throttled.wait) or BUSY_RETRY)
        return response


class SignInView(ThrottleResponseMixin, LoginView):
    template_name = "registration/sign_in.html"
    redirect_authenticated_user = True
    authentication_form = SignInForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(first_run=not selectors.any_task(), **kwargs)


class PasswordView(ThrottleResponseMixin, PasswordChangeView):
    """The admin's page for changing the password, with a limit on attempts."""

    form_class = PasswordForm

    def get_success_url(self) -> str:
        return reverse("admin:password_change_done")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**admin.site.each_context(self.request), **kwargs)


class SignOutView(LogoutView):
    def get_success_url(self) -> str:
        """The sign-in page; with `signed-out` it removes what the browser has stored."""
        return f"{reverse('sign-in')}?signed-out"


def admin_sign_in(request: HttpRequest) -> HttpResponse:
    """Redirect to the sign-in page, or to the target if the user may use the admin.

    The admin has no sign-in form of its own, so that one limit holds for all attempts.
    """
    index = reverse("admin:index")
    target = request.GET.get(REDIRECT_FIELD_NAME, index)
    if not url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        target = index
    if not request.user.is_authenticated:
        return redirect_to_login(target)
    if not admin.site.has_permission(request):
        raise PermissionDenied
    return redirect(target)
