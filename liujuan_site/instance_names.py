"""What tells this installation from others on the same host, and in the same Redis."""

from __future__ import annotations

import hashlib

DIGITS = 12


def fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def session_cookie(*, public_url: str, secret_key: str) -> str:
    """Browsers send cookies to all ports of a host, so each installation needs a name of its own.

    All webs of an installation know both values; the address outlives a change of the key.
    """
    return f"sessionid_{fingerprint(public_url or secret_key)}"


def worker_channel(secret_keys: list[str]) -> str:
    """The named channel that wakes workers; the layer over Redis puts no prefix before it."""
    return f"generation.{fingerprint(secret_keys[-1])}"


def redis_prefix(secret_keys: list[str]) -> str:
    """Only processes of one installation share its key; the oldest that is still known counts.

    So processes hear each other while the key is being changed.
    """
    return f"liujuan.{fingerprint(secret_keys[-1])}"
