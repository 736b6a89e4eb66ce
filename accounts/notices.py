"""Mails about changes of an account, sent if EMAIL_URL is set."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from allauth.account.adapter import get_adapter
from django.contrib.auth.models import User
from django.http import HttpRequest

from accounts.models import ApiToken


def mail_deletion_notice(request: HttpRequest, user: User, due_at: datetime) -> None:
    """Mail the owner about a requested deletion: perhaps another person has requested it."""
    get_adapter(request).send_notification_mail(
        "account/email/deletion_requested", user, {"due_at": due_at}
    )


def mail_kept_programs(request: HttpRequest, user: User, tokens: Collection[ApiToken]) -> None:
    """Mail the owner which programs a reset of the password has left signed in."""
    get_adapter(request).send_notification_mail(
        "account/email/programs_kept", user, {"names": [str(each) for each in tokens]}
    )


def mail_revoked_programs(request: HttpRequest, user: User, tokens: Collection[ApiToken]) -> None:
    """Mail the owner which programs a new password has signed out."""
    get_adapter(request).send_notification_mail(
        "account/email/programs_revoked", user, {"names": [str(each) for each in tokens]}
    )
