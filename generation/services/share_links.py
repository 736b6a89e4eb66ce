"""Links that show a task without an account until they expire."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import transaction

from accounts.token_hashing import digest_of
from generation.exceptions import TransitionRefused
from generation.limits import LINK_KEPT
from generation.models import GenerationTask, ShareLink

MAX_LINKS = 20
"""Links per task; one more revokes the oldest."""


def create_link(*, task: GenerationTask, now: datetime) -> tuple[str, datetime]:
    """Create a link; returns its token in clear and its expiry.

    Raises TransitionRefused while the task has no image that is shown.
    """
    token = secrets.token_urlsafe(24)
    with transaction.atomic():
        if not task.images.shown().exists():
            raise TransitionRefused
        older = ShareLink.objects.filter(task=task).order_by("-created", "-pk")
        surplus = list(older.values_list("pk", flat=True)[MAX_LINKS - 1 :])
        ShareLink.objects.filter(pk__in=surplus).delete()
        link = ShareLink.objects.create(
            task=task, token_hash=digest_of(token), created=now, expires_at=now + LINK_KEPT
        )
    return token, link.expires_at


def revoke_links(*, task: GenerationTask) -> int:
    """Delete all links of a task; returns their number."""
    ended, _by_model = ShareLink.objects.filter(task=task).delete()
    return ended


def revoke_link(*, link_id: int) -> None:
    """Delete one link."""
    ShareLink.objects.filter(pk=link_id).delete()


def delete_expired_links(*, now: datetime) -> int:
    """Delete expired links; returns their number."""
    ended, _by_model = ShareLink.objects.filter(expires_at__lte=now).delete()
    return ended
