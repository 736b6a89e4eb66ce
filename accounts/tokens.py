"""Creates, finds and revokes API tokens."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import transaction

from accounts.models import ApiToken, TokenScope
from accounts.security_log import SecurityEvent, log_event
from accounts.token_hashing import digest_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User

PREFIX = "lj-"
"""Prefix of our tokens; distinguishes them from those of a proxy in front."""

TOKEN_USE_GRAIN = timedelta(minutes=1)

MAX_TOKENS_OF_USER = 50
"""Tokens that a user may have, expired ones included."""


class TooManyTokens(Exception):
    """The user has MAX_TOKENS_OF_USER tokens."""


def create_token(
    *,
    owner: User,
    name: str,
    now: datetime,
    scope: TokenScope = TokenScope.WRITE,
    expires_at: datetime | None = None,
    address: str | None = None,
) -> str:
    """Create a token and return its text; only the digest is stored. Raises TooManyTokens."""
    token = f"{PREFIX}{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        # locked, so that two at once cannot pass the limit
        get_user_model().objects.select_for_update().filter(pk=owner.pk).first()
        if owner.tokens.count() >= MAX_TOKENS_OF_USER:
            raise TooManyTokens
        ApiToken.objects.create(
            digest=digest_of(token),
            owner=owner,
            name=name,
            created=now,
            scope=scope,
            expires_at=expires_at,
        )
    log_event(SecurityEvent.TOKEN_MADE, account=owner.get_username(), address=address, name=name)
    return token


def revoke_token(*, owner: User, number: int, address: str) -> ApiToken | None:
    """Delete a token of `owner` and return it; None if there is none with this primary key.

    Its open connections are closed at once (`accounts.credential_changes`), and the webhooks whose
    address it set are deleted with it.
    """
    revoked = revoke_tokens(owner=owner, address=address, pk=number)
    return revoked[0] if revoked else None


def revoke_tokens(*, owner: User, address: str, **conditions: Any) -> list[ApiToken]:
    """Delete the tokens of `owner` that meet `conditions`, or all, as `revoke_token` does."""
    with transaction.atomic():
        # so that nothing that refers to them is inserted meanwhile
        get_user_model().objects.select_for_update(no_key=True).filter(pk=owner.pk).first()
        tokens = list(ApiToken.objects.filter(owner=owner, **conditions).order_by("pk"))
        for token in tokens:
            token.delete()
    name = owner.get_username()
    for token in tokens:
        log_event(SecurityEvent.TOKEN_REVOKED, account=name, address=address, name=token.name)
    return tokens


def is_token(text: str) -> bool:
    """Whether `text` has the form of a token of ours, valid or not."""
    return text.startswith(PREFIX)


def valid_token(*, token: str, now: datetime, address: str) -> ApiToken | None:
    """The token with its owner, or None; remembers its use to the minute."""
    rows = ApiToken.objects.valid(now=now).select_related("owner")
    row = rows.filter(digest=digest_of(token)).first()
    if row is None:
        return None
    if row.last_used is None or now - row.last_used > TOKEN_USE_GRAIN:
        ApiToken.objects.filter(pk=row.pk).update(last_used=now)
    if row.last_used is None:
        log_event(
            SecurityEvent.TOKEN_FIRST_USED,
            account=row.owner.get_username(),
            address=address,
            name=row.name,
        )
    return row
