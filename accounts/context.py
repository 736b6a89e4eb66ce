"""What templates of account pages ask of the settings."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def account_options(request: HttpRequest) -> dict[str, bool]:
    return {
        "mail_is_sent": bool(settings.EMAIL_URL),
        "sign_up_is_open": settings.SIGNUP == "open",
    }
