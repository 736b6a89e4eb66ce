"""Whether a handshake comes from one of the site's own pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def is_same_origin(scope: dict[str, Any], headers: dict[bytes, str]) -> bool:
    """Whether Origin has the scheme, host and port of PUBLIC_URL or, without it, of Host."""
    origin = origin_of(headers.get(b"origin", ""))
    if settings.PUBLIC_URL:
        return origin is not None and origin == origin_of(settings.PUBLIC_URL)
    scheme = "https" if settings.HTTPS or scope.get("scheme") == "wss" else "http"
    return origin is not None and origin == origin_of(f"{scheme}://{headers.get(b'host', '')}")


def origin_of(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    if not parts.hostname or port is None:
        return None
    return parts.scheme, parts.hostname, port
