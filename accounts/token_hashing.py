"""Digest under which API tokens and tokens of share links are stored."""

from __future__ import annotations

import hashlib


def digest_of(token: str) -> str:
    """SHA-256 in hexadecimal. Tokens are random: no salt, no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
