"""The sign-in page, and the way from the admin to it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.views import SignInView
from generation import selectors


class SignInPage(SignInView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With `first_run`: nothing was drawn here yet."""
        return {**super().get_context_data(**kwargs), "first_run": not selectors.any_task()}


def admin_sign_in(request: HttpRequest) -> HttpResponse:
    """Redirect to the sign-in page, or to the target if the user may use the admin.

    The admin has no sign-in form of its own, so that one limit and one second factor hold for all.
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
