"""Pages of allauth that answer differently here."""

from __future__ import annotations

from math import ceil
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.utils import get_next_redirect_url
from allauth.account.views import (
    LoginView,
    LogoutView,
    PasswordChangeView,
    PasswordResetView,
    ReauthenticateView,
)
from allauth.mfa.base.views import IndexView
from allauth.usersessions.internal.flows.sessions import end_sessions
from allauth.usersessions.models import UserSession
from allauth.usersessions.views import ListUserSessionsView
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator

from accounts import invitations
from accounts.adapters import NO_ADDRESS
from accounts.second_factor import lacks_second_factor, passkey_url, passkeys_work
from accounts.sign_in import SignInThrottled
from accounts.user_agents import browser_of

BUSY_RETRY = 5
"""Retry-After in seconds when too many people sign in at once."""


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


class SignInView(ThrottleResponseMixin, LoginView):  # type: ignore[misc]
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return {**context, "passkeys_work": passkeys_work(self.request)}


@method_decorator(login_required, name="dispatch")
class FactorsView(IndexView):  # type: ignore[misc]
    """The second factors of an account."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return {
            **context,
            "passkeys_work": passkeys_work(self.request),
            "passkey_url": passkey_url(self.request),
            "second_factor_is_missing": lacks_second_factor(self.request.user),
        }


class ConfirmView(ThrottleResponseMixin, ReauthenticateView):  # type: ignore[misc]
    """Asks for the password again; an account without one has to sign in again."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = request.user
        if user.is_authenticated and not get_adapter().get_reauthentication_methods(user):
            context = {"redirect_field_value": get_next_redirect_url(request)}
            return render(request, "account/confirm_by_sign_in.html", context)
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response


class SignOutView(LogoutView):  # type: ignore[misc]
    http_method_names = ("post", "options")

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Sign out, and let the browser forget the pictures that it cached."""
        response: HttpResponse = super().post(*args, **kwargs)
        response["Clear-Site-Data"] = '"cache"'
        return response

    def get_redirect_url(self) -> str:
        """Always the page that removes what the browser has stored; `next` is ignored."""
        url: str = get_adapter(self.request).get_logout_redirect_url(self.request)
        return url


class PasswordView(ThrottleResponseMixin, PasswordChangeView):  # type: ignore[misc]
    """Changes the password; Django ends every other session of the user with it."""


class ResetView(PasswordResetView):  # type: ignore[misc]
    """Without mail there is no form: the page says how an operator makes a link."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.EMAIL_URL:
            return render(request, "account/password_reset_by_operator.html")
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response


class SessionsView(ListUserSessionsView):  # type: ignore[misc]
    """Where the user is signed in. POST ends the session `session`, or all others without it."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        UserSession.objects.create_from_request(request)
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        for session in context["sessions"]:
            session.browser = browser_of(session.user_agent)
            session.address = None if session.ip == NO_ADDRESS else session.ip
        return context

    def form_valid(self, form: Any) -> HttpResponse:
        number = self.request.POST.get("session", "")
        if not number:
            response: HttpResponse = super().form_valid(form)
            return response
        mine = UserSession.objects.filter(user=self.request.user)
        end_sessions(self.request, list(mine.filter(pk=number) if number.isdecimal() else []))
        return redirect("usersessions_list")


def accept_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Keep the invitation in the session and redirect to the form for signing up."""
    invitation = invitations.remember(request, token)
    if invitation is not None and invitation.email:
        get_adapter().stash_verified_email(request, invitation.email)
    return redirect("account_signup")
