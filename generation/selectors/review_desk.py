"""What the review page shows: pictures with what a reviewer has to know, counts, and news."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Max, QuerySet
from django.urls import reverse

from generation.choices import ReviewState
from generation.models import Appeal, GeneratedImage, GenerationTask, Review, ReviewClaim
from generation.selectors.review_queue import decision_refusal, live_pictures, review_backlog

if TYPE_CHECKING:
    import uuid
    from collections.abc import Collection, Iterable

    from django.contrib.auth.models import User

MAX_COUNTED = 1_000
"""Larger numbers are shown as "1,000+": counting a million rows takes as long as reading them."""

OWNERS_TASKS = 500
"""Newest tasks of an owner in which decisions are counted."""

MAX_OF_OWNER = 60
"""Newest decided pictures of an owner whose decisions are read."""

SHOWN_REVIEWS = 6
MAX_NEWS = 50
LATE_COMMITS = 100
"""Ids back from the newest known one: transactions do not commit in the order of their ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureReview:
    """One picture with everything that helps to decide about it.

    `owner_counts`: state → pictures of the newest tasks of the owner, and deleted ones.
    `look_alikes`: other pictures with the same hash, at most MAX_COUNTED. `refusal`: why this
    reviewer may not decide, or empty.
    """

    image: GeneratedImage
    task: GenerationTask
    siblings: list[GeneratedImage]
    reviews: list[Review]
    appeal: Appeal | None
    owner_counts: dict[str, int]
    owner_reviews: list[Review]
    look_alikes: int
    refusal: str
    held_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewCounts:
    """Pictures by state, and decisions of the last hour; MAX_COUNTED + 1 stands for more.

    `oldest`: when the picture was submitted that waits longest, None if none waits.
    """

    waiting: int
    appeals: int
    flagged: int
    hidden: int
    oldest: datetime | None
    hour_mine: int
    hour_all: int


def picture_review(image: GeneratedImage, reviewer: User, *, now: datetime) -> PictureReview:
    """`image` must have its task and owner loaded."""
    task = image.task
    states = states_of_owner(task.owner_id)
    decided = [key for key, state in states if state != ReviewState.UNREVIEWED and key != image.pk]
    deleted = reviews_of_deleted(task.owner_id)
    refusal = decision_refusal(image, reviewer)
    claims = ReviewClaim.objects.filter(image=image, until__gt=now).exclude(reviewer=reviewer)
    return PictureReview(
        image=image,
        task=task,
        siblings=list(task.images.filter(deleted_at__isnull=True).order_by("index")),
        reviews=list(image.reviews.order_by("-version")[:SHOWN_REVIEWS]),
        appeal=Appeal.objects.filter(image=image).first(),
        owner_counts=dict(
            Counter([*(state for _key, state in states), *(each.state for each in deleted)])
        ),
        owner_reviews=newest_first(newest_reviews(decided[:MAX_OF_OWNER]) + deleted),
        look_alikes=look_alikes(image),
        refusal="" if refusal is None else str(refusal.label),
        held_by=claims.values_list("reviewer__username", flat=True).first() or "",
    )


def states_of_owner(owner_id: int) -> list[tuple[int, str]]:
    """(id, state) of the pictures of the owner's newest tasks, newest picture first."""
    tasks = GenerationTask.objects.filter(owner=owner_id).newest_first().values("pk")
    rows = GeneratedImage.objects.filter(task__in=tasks[:OWNERS_TASKS]).order_by()
    return sorted(rows.values_list("pk", "review_state"), reverse=True)


def newest_reviews(image_ids: Collection[int]) -> list[Review]:
    """The newest decisions about these pictures.

    Sorted here: for a sorted query a database might read all decisions from the newest on.
    """
    return newest_first(Review.objects.filter(image__in=image_ids).order_by())


def newest_first(reviews: Iterable[Review]) -> list[Review]:
    return sorted(reviews, key=lambda review: -review.pk)[:SHOWN_REVIEWS]


def reviews_of_deleted(owner_id: int) -> list[Review]:
    """The newest decision about each deleted picture of the owner, of the newest MAX_OF_OWNER."""
    rows = Review.objects.filter(owner=owner_id, image__isnull=True).order_by("-created", "-pk")
    newest: dict[tuple[uuid.UUID | None, int | None], Review] = {}
    for review in sorted(rows[:MAX_OF_OWNER], key=lambda review: -review.version):
        newest.setdefault((review.task, review.image_index), review)
    return [each for each in newest.values() if each.state != ReviewState.UNREVIEWED]


def look_alikes(image: GeneratedImage) -> int:
    if image.similarity is None:
        return 0
    same = GeneratedImage.objects.filter(similarity=image.similarity).exclude(pk=image.pk)
    return same.order_by()[:MAX_COUNTED].count()


def review_items(ids: Collection[int]) -> list[dict[str, Any]]:
    """For scripts: the pictures in the order of `ids`; those that were deleted are left out."""
    rows = GeneratedImage.objects.filter(pk__in=ids).select_related("task")
    found = {image.pk: image for image in rows}
    appealed = Appeal.objects.filter(image__in=ids, is_open=True).values_list("image", flat=True)
    appeals = set(appealed)
    return [review_item(found[key], has_appeal=key in appeals) for key in ids if key in found]


def review_item(image: GeneratedImage, *, has_appeal: bool) -> dict[str, Any]:
    return {
        "id": image.pk,
        "version": image.review_version,
        "state": image.review_state,
        "appeal": has_appeal,
        "words": bool(image.task.word_action),
        "prompt": image.task.prompt,
        "created": round(image.task.created.timestamp()),
        "width": image.width,
        "height": image.height,
        "thumbnail": reverse("review-thumbnail", args=[image.pk]),
        "file": reverse("review-file", args=[image.pk]),
    }


def review_counts(reviewer: User, *, now: datetime) -> ReviewCounts:
    backlog = review_backlog()
    waiting = backlog["unreviewed"]
    decided = Review.objects.exclude(state=ReviewState.UNREVIEWED)
    decided = decided.filter(created__gt=now - timedelta(hours=1))
    oldest = waiting.order_by("pk").values_list("task__created", flat=True)
    return ReviewCounts(
        waiting=counted(waiting),
        appeals=counted(backlog["appeals"]),
        flagged=counted(backlog["flagged"]),
        hidden=counted(live_pictures().filter(review_state=ReviewState.HIDDEN)),
        oldest=oldest.first(),
        hour_mine=counted(decided.filter(reviewer=reviewer)),
        hour_all=counted(decided),
    )


def counted(rows: QuerySet[Any]) -> int:
    """The number of rows, at most MAX_COUNTED + 1."""
    return rows.order_by()[: MAX_COUNTED + 1].count()


def review_cursor() -> tuple[int, int]:
    """Ids of the newest decision and of the newest picture; 0 where there is none."""
    newest = [
        rows.aggregate(key=Max("pk"))["key"] for rows in (Review.objects, GeneratedImage.objects)
    ]
    return newest[0] or 0, newest[1] or 0


def reviews_after(after: int) -> list[Review]:
    """The newest decisions, oldest first; may repeat some that were read before."""
    rows = Review.objects.filter(pk__gt=after - LATE_COMMITS, image__isnull=False).order_by("-pk")
    return list(reversed(rows[:MAX_NEWS]))
