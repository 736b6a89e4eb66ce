"""What a user owns, in numbers."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Count, Sum

from accounts.models import ApiToken
from generation.models import GeneratedImage, GenerationTask, ShareLink


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedData:
    """`bytes`: of the pictures without their thumbnails. The trash counts."""

    tasks: int
    unfinished: int
    pictures: int
    bytes: int
    share_links: int
    tokens: int


def owned_data(user: User) -> OwnedData:
    tasks = GenerationTask.objects.filter(owner=user)
    pictures = GeneratedImage.objects.filter(task__owner=user).aggregate(
        count=Count("pk"), size=Sum("bytes")
    )
    return OwnedData(
        tasks=tasks.count(),
        unfinished=tasks.unfinished().count(),
        pictures=pictures["count"],
        bytes=pictures["size"] or 0,
        share_links=ShareLink.objects.filter(task__owner=user).count(),
        tokens=ApiToken.objects.filter(owner=user).count(),
    )
