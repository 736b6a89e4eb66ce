"""The pages that ask for a password, also those of the admin, and what they say if too often."""

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
"""Seconds after which it is worth trying again when too many people sign in at once."""


class SignInForm(AuthenticationForm):
    throttled: SignInThrottled | None = None
    """Why the password was not looked at, if it was not."""

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except SignInThrottled as throttled:
            self.throttled = throttled
            raise forms.ValidationError(sentence_of(throttled), code="throttled") from throttled


class PasswordForm(AdminPasswordChangeForm):
    """The old password passes the same gate as one of the sign-in page."""

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
    """For a view whose form may not look at a password."""

    def form_invalid(self, form: Any) -> HttpResponse:
        """The page again; 429 or 503 if the password was not looked at."""
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
    """Django's page of the admin, with a form that counts attempts."""

    form_class = PasswordForm

    def get_success_url(self) -> str:
        return reverse("admin:password_change_done")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**admin.site.each_context(self.request), **kwargs)


class SignOutView(LogoutView):
    def get_success_url(self) -> str:
        """The sign-in page, which then removes what the browser has kept of this person."""
        return f"{reverse('sign-in')}?signed-out"


def admin_sign_in(request: HttpRequest) -> HttpResponse:
    """The admin has no form of its own: one page, and one limit, for all."""
    index = reverse("admin:index")
    target = request.GET.get(REDIRECT_FIELD_NAME, index)
    if not url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        target = index
    if not request.user.is_authenticated:
        return redirect_to_login(target)
    if not admin.site.has_permission(request):
        raise PermissionDenied
    return redirect(target)
