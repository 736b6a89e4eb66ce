"""What an open connection signed in with, and whether that is still valid."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session

from accounts.models import ApiToken


@dataclass(slots=True)
class SignedIn:
    """The user of a request or connection, and how it signed in."""

    user: User
    """Replaced while a connection is open, because it caches its permissions."""
    credential: HeldCredential
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCredential:
    user_id: int
    key: str = field(repr=False)
    """The key of the session, or the digest of the API token."""
    is_token: bool
    password: str = field(repr=False)
    """Hash of the password when it was checked; a new password ends all sessions."""
    may_write: bool = True


def users_of(
    held: Collection[HeldCredential], *, now: datetime
) -> dict[HeldCredential, User | None]:
    """The users of these credentials, active or not; None if the credential has ended.

    Two queries for all of them.
    """
    users = User.objects.in_bulk({each.user_id for each in held})
    keys = valid_keys(held, now=now)

    def user_of(each: HeldCredential) -> User | None:
        user = users.get(each.user_id)
        if user is None or each.key not in keys:
            return None
        return user if each.is_token or each.password == user.password else None

    return {each: user_of(each) for each in held}


def valid_keys(held: Collection[HeldCredential], *, now: datetime) -> set[str]:
    sessions = Session.objects.filter(
        session_key__in=[each.key for each in held if not each.is_token], expire_date__gt=now
    )
    tokens = ApiToken.objects.valid(now=now).filter(
        digest__in=[each.key for each in held if each.is_token]
    )
    rows = sessions.values_list("session_key").union(tokens.values_list("digest"), all=True)
    return {key for (key,) in rows}
