"""Headers that every response has: what its page may use, that nothing private is cached, its id.

Django and django-csp set the other ones (liujuan_site/settings.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from accounts.log_context import correlation_id

UNUSED = (
    *("accelerometer", "camera", "display-capture", "geolocation", "gyroscope"),
    *("hid", "magnetometer", "microphone", "midi", "payment", "serial", "usb"),
    "xr-spatial-tracking",
)
"""Features of browsers that neither the site nor the admin uses."""

PERMISSIONS_POLICY = ", ".join(f"{feature}=()" for feature in UNUSED)


@sync_and_async_middleware
def response_headers(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    def middleware(request: HttpRequest) -> HttpResponseBase:
        return with_headers(get_response(request))

    async def async_middleware(request: HttpRequest) -> HttpResponseBase:
        return with_headers(await get_response(request))

    return async_middleware if iscoroutinefunction(get_response) else middleware


def with_headers(response: HttpResponseBase) -> HttpResponseBase:
    """`response` with the headers that its view has not set itself."""
    headers = response.headers
    headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    if correlation_id():
        headers.setdefault("X-Request-ID", correlation_id())
    if not {"ETag", "Last-Modified"} & headers.keys():
        headers.setdefault("Cache-Control", "no-store")
    return response
