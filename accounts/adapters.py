"""How allauth behaves here: addresses, limits, redirects, encryption and ended sessions."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.models import EmailAddress
from allauth.account.stages import EmailVerificationStage
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import invitations, oidc_confirmation, secret_box
from accounts.client_address import UNKNOWN, client_address
from accounts.credential_changes import report_change
from accounts.log_format import log_line
from accounts.reset_links import absolute_url
from accounts.security_log import SecurityEvent, log_event
from accounts.sign_in import check_password
from accounts.user_agents import browser_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User

logger = logging.getLogger(__name__)

NO_ADDRESS = "0.0.0.0"  # noqa: S104  not an address to bind
"""Stands for an unknown address, because that of a session must not be null."""


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _("This name and password do not match."),
        "email_password_mismatch": _("This name and password do not match."),
        "incorrect_password": _("This is not your password."),
        "enter_current_password": _("This is not your password."),
        "incorrect_code": _("This code is not right, or it was used before."),
        "too_many_login_attempts": _("Too many attempts. Try again in a few minutes."),
        "rate_limited": _("Too many attempts. Try again in a few minutes."),
    }

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address by the rule of TRUSTED_PROXIES, as in our own limits and logs."""
        address = client_address(request)
        return NO_ADDRESS if address == UNKNOWN else address

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Counts nothing: PasswordBackend limits passwords.

        Without the rate limit `login_failed` codes of second factors would not be limited either.
        """

    def reauthenticate(self, user: User, password: str) -> bool:
        return check_password(context.request, user, password, purpose="confirmation")

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Of an account without password and second factor a sign-in is the only proof."""
        if not self.get_reauthentication_methods(self.request.user):
            if signed_in_just_now(self.request):
                return False
            # allauth would refuse for good
            query = urlencode({REDIRECT_FIELD_NAME: self.request.get_full_path()})
            page = redirect(f"{reverse('account_reauthenticate')}?{query}")
            raise ImmediateHttpResponse(page)
        return bool(super().is_reauthentication_required(app=app, **kwargs))

    def is_safe_url(self, url: str) -> bool:
        """Redirects stay on the host of the request."""
        return url_has_allowed_host_and_scheme(
            url,
            allowed_hosts={context.request.get_host()},
            require_https=context.request.is_secure(),
        )

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        """The sign-in page; with `signed-out` it removes what the browser has stored."""
        return f"{reverse('account_login')}?signed-out"

    def get_login_stages(self) -> list[str]:
        ours = f"{FirstEmailStage.__module__}.{FirstEmailStage.__qualname__}"
        theirs = "allauth.account.stages.EmailVerificationStage"
        return [ours if stage == theirs else stage for stage in super().get_login_stages()]

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        if settings.SIGNUP == "open":
            return True
        return settings.SIGNUP == "invite" and invitations.current(request) is not None

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """Store the account and use up its invitation together; a used one stores nothing."""
        invitation = invitations.current(request)
        try:
            with transaction.atomic():
                super().save_user(request, user, form, commit)
                if invitation is not None:
                    invitations.claim(invitation, user)
                elif settings.SIGNUP != "open":
                    raise invitations.InvitationUsed
        except invitations.InvitationUsed as error:
            raise ImmediateHttpResponse(redirect("account_signup")) from error
        invitations.forget(request)
        log_event(
            SecurityEvent.ACCOUNT_CREATED,
            account=user.get_username(),
            address=client_address(request),
            invitation=invitation and invitation.pk,
        )
        return user

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send at once, so that a page never claims a mail that was not accepted."""
        try:
            super().send_mail(template_prefix, email, validity_periods() | context)
        # also the errors of SMTP
        except OSError as error:
            logger.warning("%s", log_line("mail_failed", cause=repr(error)))
            page = render(self.request, "account/mail_failed.html", status=503)
            raise ImmediateHttpResponse(page) from error

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """What the mail is about has happened already: a failure is only logged."""
        address = client_address(self.request)
        origin = {
            "user": user,
            "address": "" if address == UNKNOWN else address,
            "browser": browser_of(self.request.headers.get("User-Agent", "")),
        }
        with suppress(ImmediateHttpResponse):
            super().send_notification_mail(template_prefix, user, origin | (context or {}), email)

    def get_reset_password_from_key_url(self, key: str) -> str:
        return absolute_url(urlsplit(super().get_reset_password_from_key_url(key)).path)

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        return absolute_url(reverse("account_confirm_email", args=[emailconfirmation.key]))


def validity_periods() -> dict[str, int]:
    """How long links and codes of mails work, for their templates."""
    return {
        "confirmation_days": app_settings.EMAIL_CONFIRMATION_EXPIRE_DAYS,
        "reset_days": settings.PASSWORD_RESET_TIMEOUT // 86_400,
        "code_minutes": app_settings.LOGIN_BY_CODE_TIMEOUT // 60,
    }


class FirstEmailStage(EmailVerificationStage):  # type: ignore[misc]
    """Demands a confirmed address only of accounts that signed up and never signed in.

    Accounts that staff or an earlier version created would be locked out otherwise.
    """

    def handle(self) -> tuple[Any, bool]:
        user = self.login.user
        if user is not None and (user.last_login or not has_address(user)):
            return None, True
        response: tuple[Any, bool] = super().handle()
        return response


def has_address(user: User) -> bool:
    return bool(EmailAddress.objects.filter(user=user).exists())


def signed_in_just_now(request: HttpRequest) -> bool:
    """Whether the user gave proof a few minutes ago; a session at the OpenID provider is none."""
    records = get_authentication_records(request, request.user)
    if not records:
        return False
    if records[-1]["method"] == "socialaccount":
        return oidc_confirmation.was_given(request)
    return oidc_confirmation.is_recent(records[-1]["at"])


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": AccountAdapter.error_messages["incorrect_code"]
    }

    def encrypt(self, text: str) -> str:
        return secret_box.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return secret_box.decrypt(encrypted_text)

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        """The name that the form for a new passkey suggests."""
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return gettext("Passkey %(number)s") % {"number": number}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Passkeys belong to the host of PUBLIC_URL, whatever name the request came by."""
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        if settings.PUBLIC_URL:
            entity["id"] = urlsplit(settings.PUBLIC_URL).hostname or entity["id"]
        entity["name"] = settings.MFA_TOTP_ISSUER
        return entity


class SessionsAdapter(DefaultUserSessionsAdapter):  # type: ignore[misc]
    def end_sessions(self, sessions: Iterable[UserSession]) -> None:
        """Delete the sessions, log each, and have their connections closed."""
        for session in sessions:
            log_event(
                SecurityEvent.SESSION_ENDED,
                account=session.user.get_username(),
                address=session.ip,
                by="owner",
            )
            session.end()
            report_change(session.user_id)
