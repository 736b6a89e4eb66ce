"""Mails about changes of an account, sent if EMAIL_URL is set."""

from __future__ import annotations

from datetime import datetime

from allauth.account.adapter import get_adapter
from django.contrib.auth.models import User
from django.http import HttpRequest


def tell_of_deletion(request: HttpRequest, user: User, due_at: datetime) -> None:
    """Tell the owner of a requested deletion: perhaps another person has requested it."""
    get_adapter(request).send_notification_mail(
        "account/email/deletion_requested", user, {"due_at": due_at}
    )
