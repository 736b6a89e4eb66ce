"""Names that separate installations on the same host and in the same Redis."""

from __future__ import annotations

import hashlib

DIGITS = 12


def fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def session_cookie(*, public_url: str, secret_key: str) -> str:
    """Name of the session cookie.

    Browsers send cookies to all ports of a host, so each installation needs a name of its own.
    It is derived from PUBLIC_URL if set, so that it survives a change of the key.
    """
    return f"sessionid_{fingerprint(public_url or secret_key)}"


def worker_channel(secret_keys: list[str]) -> str:
    """Name of the channel that wakes workers; channels_redis does not prefix channel names."""
    return f"generation.{fingerprint(secret_keys[-1])}"


def redis_prefix(secret_keys: list[str]) -> str:
    """Prefix for Redis, derived from the oldest key.

    It stays the same while the key is being changed, so that old and new processes communicate.
    """
    return f"liujuan.{fingerprint(secret_keys[-1])}"
