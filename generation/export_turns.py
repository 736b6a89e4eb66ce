"""One export at a time for each user: an export reads much and lasts long."""

from __future__ import annotations

import secrets
from time import monotonic

from django.contrib.auth.models import User
from django.core.cache import cache

TURN_LASTS = 660
"""Seconds after the last chunk until another export may begin although this one has not ended; a
download whose client reads nothing is cut before."""

TURN_RENEWED = 60.0


class ExportRunning(Exception):
    """Another export of this user is being sent."""


class ExportTurn:
    """The only export of a user at a time, in all processes."""

    def __init__(self, user: User) -> None:
        """Raises ExportRunning."""
        self.key, self.holder = f"export:{user.pk}", secrets.token_hex(8)
        if not cache.add(self.key, self.holder, timeout=TURN_LASTS):
            raise ExportRunning
        self.renew_at = monotonic() + TURN_RENEWED

    def renew(self) -> None:
        if monotonic() >= self.renew_at:
            cache.touch(self.key, timeout=TURN_LASTS)
            self.renew_at = monotonic() + TURN_RENEWED

    def end(self) -> None:
        if cache.get(self.key) == self.holder:
            cache.delete(self.key)
