"""The page for who may not see another one."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from generation.client_address import client_address
from generation.security_log import SecurityEvent, log_event


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's, with a line in the security log."""
    # a refusal of a middleware may come before the one that knows the user
    user = getattr(request, "user", None)
    log_event(
        SecurityEvent.PERMISSION_REFUSED,
        account=user.get_username() or None if user else None,
        address=client_address(request),
        path=request.path,
    )
    return defaults.permission_denied(request, exception)
