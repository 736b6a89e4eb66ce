"""Error pages, and the rate limit of pages."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from django.core.exceptions import DisallowedHost, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin
from django.views import defaults

from accounts.client_address import client_address
from accounts.security_log import SecurityEvent, log_event, log_foreign_host
from generation.error_codes import ErrorCode
from generation.exceptions import NotFound
from generation.sessions import owner_buckets


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 403 page, with a line in the security log."""
    # a middleware before AuthenticationMiddleware may refuse: there is no `user` then
    user = getattr(request, "user", None)
    log_event(
        SecurityEvent.PERMISSION_REFUSED,
        account=user.get_username() or None if user else None,
        address=client_address(request),
        path=request.path,
    )
    return defaults.permission_denied(request, exception)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 400 page, logged as a warning, because clients cause it, and without advice."""
    response = defaults.bad_request(request, exception)
    if isinstance(exception, DisallowedHost):
        log_foreign_host(request.headers.get("Host"), client_address(request))
    elif isinstance(exception, SuspiciousOperation):
        name = type(exception).__name__
        logging.getLogger(f"django.security.{name}").warning("%s", exception)
    # keeps Django from logging it as a server error
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


class NotFoundMiddleware(MiddlewareMixin):
    """Responds with the 404 page to a NotFound that a view raises."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        if isinstance(exception, NotFound):
            raise Http404 from exception


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """The page of allauth's own limits, which count by the minute."""
    response = error_page(request, ErrorCode.FLOODING, 429)
    response["Retry-After"] = "60"
    return response


def error_page(request: HttpRequest, code: ErrorCode, status: int) -> HttpResponse:
    return render(request, "studio/refused.html", {"sentence": code.label}, status=status)


def rate_limited(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Respond 429 if the user has exceeded the limit for all connections together."""

    @functools.wraps(view)
    def limited_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated and not owner_buckets.take(request.user.pk):
            return error_page(request, ErrorCode.FLOODING, 429)
        return view(request, *args, **kwargs)

    return limited_view
