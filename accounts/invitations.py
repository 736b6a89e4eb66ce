"""Invitations: links with which one person each may sign up."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Invitation
from accounts.token_hashing import digest_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User

INVITATION_LASTS = timedelta(days=7)

SESSION_KEY = "accounts.invitation"
"""Holds the digest of the invitation with which this browser came."""


class InvitationUsed(Exception):
    """The invitation was used or has expired meanwhile."""


def new_token(invitation: Invitation) -> str:
    """Give the unsaved row a token and return its text; only the digest is stored."""
    token = secrets.token_urlsafe(32)
    invitation.digest = digest_of(token)
    return token


def remember(request: HttpRequest, token: str) -> Invitation | None:
    """Keep the invitation in the session; None if it cannot be used."""
    request.session[SESSION_KEY] = digest_of(token)
    return current(request)


def current(request: HttpRequest) -> Invitation | None:
    """The usable invitation with which this browser came."""
    digest = request.session.get(SESSION_KEY)
    if not digest:
        return None
    return Invitation.objects.usable(timezone.now()).filter(digest=digest).first()


def forget(request: HttpRequest) -> None:
    request.session.pop(SESSION_KEY, None)


def claim(invitation: Invitation, user: User, now: datetime | None = None) -> None:
    """Use up the invitation for the stored `user`; raises InvitationUsed.

    Of several claims at once one succeeds: the update finds the row unused.
    """
    now = now or timezone.now()
    unused = Invitation.objects.usable(now).filter(pk=invitation.pk)
    if not unused.update(used_at=now, used_by=user):
        raise InvitationUsed
    if invitation.group is not None:
        user.groups.add(invitation.group)
    if invitation.is_staff:
        user.is_staff = True
        user.save(update_fields=["is_staff"])
