"""The address of a model server as everybody writes it, to compare what processes are set to."""

from __future__ import annotations

import platform
from urllib.parse import urlsplit

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
DEFAULT_PORTS = {"http": 80, "https": 443}


def shared_address(url: str) -> str:
    """Without credentials, in one form; text that is no URL stays as it is.

    A loopback address means another server on every host.
    """
    if "://" not in url:
        return url
    parts = urlsplit(url)
    name = (parts.hostname or "").lower()
    host = "localhost" if name in LOOPBACK else f"[{name}]" if ":" in name else name
    port = "" if parts.port in (None, DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    where = f" on {platform.node()}" if name in LOOPBACK else ""
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}{where}"
