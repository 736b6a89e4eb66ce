"""Signed messages to servers of users: their addresses, the requests, and the signature.

The client is imported by workers alone: its libraries would slow the start of other processes.
"""

from __future__ import annotations

from generation.webhooks.signing import is_secret, new_secret, signed_headers
from generation.webhooks.targets import AllowedTargets, configured_targets, readable_url

__all__ = [
    "AllowedTargets",
    "configured_targets",
    "is_secret",
    "new_secret",
    "readable_url",
    "signed_headers",
]
