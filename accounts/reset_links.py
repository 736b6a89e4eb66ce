"""Links with which a forgotten password is replaced, for operators without mail."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse

from accounts.security_log import SecurityEvent, log_event

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def absolute_url(path: str) -> str:
    """The URL of `path` at PUBLIC_URL: mails and links do not repeat the client's Host."""
    return urljoin(settings.SITE_URLS[0], path)


def create_reset_link(user: User) -> str:
    """The URL of a page that sets a new password: once, within PASSWORD_RESET_TIMEOUT.

    It stops working when the password changes or the user signs in.
    """
    key = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
    log_event(SecurityEvent.RESET_LINK_MADE, account=user.get_username(), address=None)
    return absolute_url(reverse("account_reset_password_from_key", kwargs=key))
