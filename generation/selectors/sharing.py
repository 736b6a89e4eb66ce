"""What a share link leads to."""

from __future__ import annotations

import hashlib
from datetime import datetime

from generation.exceptions import NotFound
from generation.models import GeneratedImage, ShareLink


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


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
    pictures = list(link.task.images.filter(deleted_at__isnull=True).order_by("index"))
    for image in pictures:
        image.task = link.task
    return link, pictures
