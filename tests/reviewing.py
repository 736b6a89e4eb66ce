"""Reviewers, and pictures for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import Permission, User

from generation import services
from generation.choices import ReviewState
from generation.models import GeneratedImage, Review
from tests.factories import finished_task


def make_reviewer(name: str, *, is_staff: bool = True) -> User:
    """An account that may decide about pictures, and nothing else."""
    reviewer = User.objects.create_user(name, is_staff=is_staff)
    reviewer.user_permissions.add(Permission.objects.get(codename="add_review"))
    # permissions are cached by the object
    return User.objects.get(pk=reviewer.pk)


def picture_of(owner: User, at: datetime, **asked: Any) -> GeneratedImage:
    """A picture without a review."""
    return GeneratedImage.objects.get(task=finished_task(owner, at, **asked))


def decide(reviewer: User, image: GeneratedImage, state: str, now: datetime, **more: Any) -> Review:
    """Decide about the picture as it is now."""
    image.refresh_from_db()
    return services.decide(
        reviewer=reviewer,
        image_id=image.pk,
        version=image.review_version,
        state=ReviewState(state),
        now=now,
        **more,
    )
