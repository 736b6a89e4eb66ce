"""Links under which a task can be seen without an account, for a while."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.db import transaction

from generation.exceptions import NotFound, TransitionRefused
from generation.models import GeneratedImage, GenerationTask, ShareLink
from generation.services.tokens import digest_of

LINK_KEPT = timedelta(days=7)
MAX_LINKS = 20
"""Per task; one more ends the oldest."""


def create_link(*, task: GenerationTask, now: datetime) -> tuple[str, datetime]:
    """(token in clear, when it ends); TransitionRefused while there is no picture to show."""
    token = secrets.token_urlsafe(24)
    with transaction.atomic():
        if not task.images.filter(deleted_at__isnull=True).exists():
            raise TransitionRefused
        older = ShareLink.objects.filter(task=task).order_by("-created", "-pk")
        surplus = list(older.values_list("pk", flat=True)[MAX_LINKS - 1 :])
        ShareLink.objects.filter(pk__in=surplus).delete()
        link = ShareLink.objects.create(
            task=task, token_hash=digest_of(token), created=now, expires_at=now + LINK_KEPT
        )
    return token, link.expires_at


def end_links(*, task: GenerationTask) -> int:
    """No link to the task works any more; how many there were."""
    ended, _by_model = ShareLink.objects.filter(task=task).delete()
    return ended


def forget_links(*, now: datetime) -> int:
    """Delete links that have ended; how many."""
    ended, _by_model = ShareLink.objects.filter(expires_at__lte=now).delete()
    return ended


def shared_task(*, token: str, now: datetime) -> tuple[ShareLink, list[GeneratedImage]]:
    """The link with its task, and the pictures to show; NotFound if it does not work (any more).

    It works no longer than its owner does, and as long as the task is not in the bin.
    """
    link = (
        ShareLink.objects.select_related("task")
        .filter(
            token_hash=digest_of(token),
            expires_at__gt=now,
            task__deleted_at__isnull=True,
            task__owner__is_active=True,
        )
        .first()
    )
    if link is None:
        raise NotFound
    return link, list(link.task.images.filter(deleted_at__isnull=True).order_by("index"))
