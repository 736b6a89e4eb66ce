"""Sign-in with accounts of an OpenID provider: which account it leads to, and pages for errors."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import Any

from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.client_address import client_address
from accounts.log_format import log_line
from accounts.security_log import SecurityEvent, log_event

logger = logging.getLogger(__name__)

PROVIDER_ID = "provider"
"""Stands for the provider in addresses and rows, so that OIDC_NAME can change."""

OAUTH_ERROR = re.compile(r"\"error\": ?\"([a-z_]{1,40})\"")
"""What RFC 6749 says about a refusal; the rest of such an answer may hold tokens."""


class OidcAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return bool(settings.OIDC_SIGNUP)

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Refuse a new account where none is made; drop addresses that are not confirmed."""
        if sociallogin.is_existing or sociallogin.state.get("process") == "connect":
            return
        if not settings.OIDC_SIGNUP:
            log_refusal(request, "no account")
            sentence = _("No account here is connected with this account at %(name)s.")
            raise refused(request, sentence, advice=advice_to_connect())
        sociallogin.email_addresses = [
            each for each in sociallogin.email_addresses if each.verified
        ]
        addresses = [each.email for each in sociallogin.email_addresses]
        sociallogin.user.email = addresses[0] if addresses else ""
        if any(map(is_taken, addresses)):
            log_refusal(request, "address taken")
            sentence = _("An account here already has your e-mail address.")
            raise refused(request, sentence, advice=advice_to_connect())

    def authenticate_by_email(self, sociallogin: Any) -> tuple[User, str] | None:
        """The account with an address of the provider, if OIDC_TRUST_EMAIL links such accounts.

        The provider must say with `email_verified` that the address is confirmed. It must be
        confirmed here too, or set by staff: otherwise a stranger could prepare an account with it
        and share it later.
        """
        if not settings.OIDC_TRUST_EMAIL:
            return None
        for each in sociallogin.email_addresses:
            user = owner_of(each.email) if each.verified else None
            if user is not None:
                confirm_address(user, each.email)
                return user, each.email
        return None

    def is_email_verified(self, provider: Any, email: str) -> bool:
        """Whether an address counts as confirmed whatever the provider says: never."""
        return False

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        with transaction.atomic():
            user: User = super().save_user(request, sociallogin, form)
        name, address = user.get_username(), client_address(request)
        log_event(SecurityEvent.ACCOUNT_CREATED, account=name, address=address, how="oidc")
        return user

    def get_requests_session(self) -> Any:
        session = super().get_requests_session()
        if settings.SSL_CERT_FILE:
            session.verify = settings.SSL_CERT_FILE
        return session

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Show a page of ours instead of allauth's."""
        context = extra_context or {}
        if exception is None and "state_id" in context:
            cause, page = "unknown state", expired(request)
        elif error == "cancelled":
            cause, page = "denied by the user", denied(request)
        else:
            cause, page = cause_of(exception, request), failed(request, exception)
        log_failure(request, cause)
        raise ImmediateHttpResponse(page)


def is_taken(email: str) -> bool:
    listed = EmailAddress.objects.filter(email__iexact=email)
    return listed.exists() or User.objects.filter(email__iexact=email).exists()


def owner_of(email: str) -> User | None:
    """The account in which the address is confirmed, or for which staff have set it."""
    confirmed = EmailAddress.objects.filter(email__iexact=email, verified=True)
    found = confirmed.select_related("user").first()
    if found is not None:
        user: User = found.user
        return user
    by_staff = User.objects.filter(email__iexact=email, emailaddress__isnull=True)
    return by_staff.first() if by_staff.count() == 1 else None


def confirm_address(user: User, email: str) -> None:
    """List an address that staff have set as confirmed.

    allauth removes the password of an account whose address is not, as if a stranger had made it.
    """
    if not EmailAddress.objects.filter(user=user, email__iexact=email, verified=True).exists():
        EmailAddress.objects.create(user=user, email=email.lower(), verified=True, primary=True)


def advice_to_connect() -> str:
    return _(
        "Sign in with your password, then connect the two on your account page. Without an "
        "account here, ask the operator."
    )


def refused(request: HttpRequest, sentence: str, *, advice: str) -> ImmediateHttpResponse:
    return ImmediateHttpResponse(page(request, sentence, advice, HTTPStatus.FORBIDDEN))


def expired(request: HttpRequest) -> HttpResponse:
    sentence = _("This sign-in was begun in another browser, or took too long.")
    return page(request, sentence, _("Begin again."), HTTPStatus.BAD_REQUEST)


def denied(request: HttpRequest) -> HttpResponse:
    sentence = _("You did not allow %(name)s to sign you in.")
    return page(request, sentence, _("Nothing has changed. You can begin again."), HTTPStatus.OK)


def failed(request: HttpRequest, exception: Exception | None) -> HttpResponse:
    from requests import ConnectionError, Timeout

    if isinstance(exception, ConnectionError | Timeout):
        sentence, status = _("%(name)s does not answer."), HTTPStatus.SERVICE_UNAVAILABLE
    else:
        sentence, status = _("%(name)s could not sign you in."), HTTPStatus.BAD_GATEWAY
    advice = _("Try again in a few minutes, or tell the operator: the log of the studio says why.")
    return page(request, sentence, advice, status)


def page(request: HttpRequest, sentence: str, advice: str, status: HTTPStatus) -> HttpResponse:
    context = {"sentence": sentence % {"name": settings.OIDC_NAME}, "advice": advice}
    return render(request, "account/oidc_failed.html", context, status=status)


def cause_of(exception: Exception | None, request: HttpRequest) -> str:
    """What to log: never the text of an answer, which may hold tokens."""
    if exception is None:
        error = request.GET.get("error", "")
        return f"the provider said {error[:40]}" if error else "no code and no error"
    answered = OAUTH_ERROR.search(str(exception))
    name = type(exception).__name__
    return f"{name}: {answered[1]}" if answered else name


def log_failure(request: HttpRequest, cause: str) -> None:
    line = log_line("oidc_failed", cause=cause, address=client_address(request))
    logger.warning("%s", line)


def log_refusal(request: HttpRequest, reason: str) -> None:
    address = client_address(request)
    log_event(
        SecurityEvent.SIGN_IN_REFUSED, account=None, address=address, how="oidc", reason=reason
    )
