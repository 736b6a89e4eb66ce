"""The address of a model server in one form, to compare the settings of processes."""

from __future__ import annotations

import platform
from urllib.parse import urlsplit

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
DEFAULT_PORTS = {"http": 80, "https": 443}


def shared_address(url: str) -> str:
    """The URL without credentials, in one form; other text is returned unchanged.

    A loopback address gets the host name, because it means another server on every host.
    """
    if "://" not in url:
        return url
    parts = urlsplit(url)
    name = (parts.hostname or "").lower()
    host = "localhost" if name in LOOPBACK else f"[{name}]" if ":" in name else name
    port = "" if parts.port in (None, DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    where = f" on {platform.node()}" if name in LOOPBACK else ""
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}{where}"
