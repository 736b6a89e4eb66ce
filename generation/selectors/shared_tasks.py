"""The task and the pictures behind a share link."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from accounts.token_hashing import digest_of
from generation.exceptions import NotFound
from generation.models import GeneratedImage, ShareLink


def shared_task(*, token: str, now: datetime) -> tuple[ShareLink, list[GeneratedImage]]:
    """The link with its task, and the pictures to show; raises NotFound.

    A link works until it expires, its owner is disabled or the task is in the trash. Pictures
    that are withheld, or were restored from the trash after the link was made, are not shown.
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
    never_away = Q(restored_at__isnull=True) | Q(restored_at__lte=link.created)
    shown = link.task.images.shown().filter(never_away)
    pictures = list(shown.order_by("index"))
    if not pictures:
        raise NotFound
    for image in pictures:
        image.task = link.task
    return link, pictures
