"""Creates and finds API tokens."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from accounts.models import ApiToken
from accounts.security_log import SecurityEvent, log_event
from accounts.token_hashing import digest_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User

PREFIX = "lj-"
"""Prefix of our tokens; distinguishes them from those of a proxy in front."""

TOKEN_USE_GRAIN = timedelta(minutes=1)


def create_token(*, owner: User, name: str, now: datetime) -> str:
    """Create a token and return its text; only the digest is stored."""
    token = f"{PREFIX}{secrets.token_urlsafe(32)}"
    ApiToken.objects.create(digest=digest_of(token), owner=owner, name=name, created=now)
    log_event(SecurityEvent.TOKEN_MADE, account=owner.get_username(), address=None, name=name)
    return token


def is_token(text: str) -> bool:
    """Whether `text` has the form of a token of ours, valid or not."""
    return text.startswith(PREFIX)


def user_of_token(*, token: str, now: datetime, address: str) -> User | None:
    """The token's owner, or None; remembers its use to the minute."""
    row = ApiToken.objects.select_related("owner").filter(digest=digest_of(token)).first()
    if row is None:
        return None
    if row.last_used is None or now - row.last_used > TOKEN_USE_GRAIN:
        ApiToken.objects.filter(pk=row.pk).update(last_used=now)
    owner: User = row.owner
    if row.last_used is None:
        log_event(
            SecurityEvent.TOKEN_FIRST_USED,
            account=owner.get_username(),
            address=address,
            name=row.name,
        )
    return owner
