"""What templates of account pages ask of the settings, and the list of these pages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.oidc_adapter import PROVIDER_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage:
    """A page in the side list; `prefix`: names of URLs that begin so belong to it too."""

    url_name: str
    title: str | Promise
    about: str | Promise
    prefix: str


PAGES = (
    AccountPage(
        url_name="account_profile",
        title=_("Profile"),
        about=_("Your name, language, theme and time zone."),
        prefix="account_profile",
    ),
    AccountPage(
        url_name="account_change_password",
        title=_("Password"),
        about=_("A new password signs you out everywhere else."),
        prefix="account_change_password",
    ),
    AccountPage(
        url_name="mfa_index",
        title=_("Second factor"),
        about=_("Passkeys, an authenticator app, recovery codes."),
        prefix="mfa_",
    ),
    AccountPage(
        url_name="usersessions_list",
        title=_("Where I am signed in"),
        about=_("Your browsers. Sign out one, or all others."),
        prefix="usersessions_",
    ),
    AccountPage(
        url_name="account_email",
        title=_("E-mail addresses"),
        about=_("Where a link for a forgotten password is sent."),
        prefix="account_email",
    ),
    AccountPage(
        url_name="programs",
        title=_("Programs"),
        about=_("Tokens with which scripts draw for you."),
        prefix="program",
    ),
    AccountPage(
        url_name="webhooks",
        title=_("Webhooks"),
        about=_("Addresses that receive a message when a task ends."),
        prefix="webhook",
    ),
    AccountPage(
        url_name="limits",
        title=_("Limits"),
        about=_("What is left of them, and when they renew."),
        prefix="limits",
    ),
    AccountPage(
        url_name="account_data",
        title=_("My data"),
        about=_("Download everything, or delete your account."),
        prefix="account_data",
    ),
)


def account_options(request: HttpRequest) -> dict[str, Any]:
    return {
        "mail_is_sent": bool(settings.EMAIL_URL),
        "sign_up_is_open": settings.SIGNUP == "open",
        "oidc_name": settings.OIDC_NAME if settings.OIDC_SERVER else "",
        "oidc_url": oidc_url() if settings.OIDC_SERVER else "",
        # called by the templates that show the list
        "account_pages": partial(account_pages, request),
    }


def account_pages(request: HttpRequest) -> list[tuple[AccountPage, bool]]:
    """The pages of this installation, each with whether `request` is for it."""
    shown = [each for each in PAGES if settings.EMAIL_URL or each.url_name != "account_email"]
    if settings.OIDC_SERVER:
        shown.append(
            AccountPage(
                url_name="socialaccount_connections",
                title=settings.OIDC_NAME,
                about=_("Sign in here with your account there."),
                prefix="socialaccount_connections",
            )
        )
    name = (request.resolver_match and request.resolver_match.url_name) or ""
    return [(each, name.startswith(each.prefix)) for each in shown]


def oidc_url() -> str:
    """Where a form begins a sign-in at the OpenID provider."""
    return reverse("openid_connect_login", args=[PROVIDER_ID])
