"""Receivers of Django's and allauth's signals: the security log, and confirmations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account import signals as account_signals
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.models import EmailAddress
from allauth.mfa import signals as mfa_signals
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import oidc_confirmation
from accounts.client_address import UNKNOWN, client_address
from accounts.security_log import SecurityEvent, log_event

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@receiver(user_logged_in)
def log_sign_in(request: HttpRequest, user: User, **kwargs: Any) -> None:
    log(SecurityEvent.SIGN_IN_OK, request, user, how=how_signed_in(request, user))


@receiver(account_signals.user_logged_in)
def remember_confirmation(request: HttpRequest, sociallogin: Any = None, **kwargs: Any) -> None:
    if sociallogin is not None:
        oidc_confirmation.remember(request, sociallogin)


@receiver(user_logged_out)
def log_sign_out(request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        log(SecurityEvent.SIGNED_OUT, request, user)


@receiver([account_signals.password_changed, account_signals.password_set])
def log_password_change(request: HttpRequest, user: User, **kwargs: Any) -> None:
    log(SecurityEvent.PASSWORD_CHANGED, request, user)


@receiver(account_signals.password_reset)
def log_password_reset(request: HttpRequest, user: User, **kwargs: Any) -> None:
    log(SecurityEvent.PASSWORD_RESET, request, user)


@receiver(account_signals.email_confirmed)
def log_email(request: HttpRequest, email_address: EmailAddress, **kwargs: Any) -> None:
    log(SecurityEvent.EMAIL_CONFIRMED, request, email_address.user)


@receiver(mfa_signals.authenticator_added)
def log_new_factor(
    request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any
) -> None:
    log(SecurityEvent.SECOND_FACTOR_ADDED, request, user, factor=authenticator.type)


@receiver(mfa_signals.authenticator_removed)
def log_removed_factor(
    request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any
) -> None:
    log(SecurityEvent.SECOND_FACTOR_REMOVED, request, user, factor=authenticator.type)


@receiver(mfa_signals.authenticator_reset)
def log_new_codes(request: HttpRequest, user: User, **kwargs: Any) -> None:
    log(SecurityEvent.RECOVERY_CODES_RENEWED, request, user)


@receiver(mfa_signals.authentication_failed)
def log_refused_factor(request: HttpRequest, user: User, **kwargs: Any) -> None:
    log(SecurityEvent.SECOND_FACTOR_REFUSED, request, user)


def log(event: SecurityEvent, request: HttpRequest | None, user: User, **details: object) -> None:
    address = client_address(request) if request else UNKNOWN
    log_event(event, account=user.get_username(), address=address, **details)


def how_signed_in(request: HttpRequest, user: User) -> str | None:
    """Such as `password+totp` or `webauthn`; None if nothing was proved, as after a sign-up."""
    records = get_authentication_records(request, user)
    return "+".join(map(name_of, records)) or None


def name_of(record: dict[str, Any]) -> str:
    if record["method"] == "socialaccount":
        return "oidc"
    name: str = record.get("type", record["method"])
    return name
