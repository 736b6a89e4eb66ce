"""Addresses for use outside the page."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def public_url(request: HttpRequest, path: str) -> str:
    """The absolute URL of a path of the site: below PUBLIC_URL, else at the requested host."""
    if settings.PUBLIC_URL:
        return f"{settings.PUBLIC_URL}{path.removeprefix(settings.BASE_PATH)}"
    return request.build_absolute_uri(path)
