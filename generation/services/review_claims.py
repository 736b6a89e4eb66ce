"""Which reviewer has which pictures in hand, for some minutes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from generation.limits import MAX_CLAIMED
from generation.models import GeneratedImage, ReviewClaim
from generation.selectors.review_queue import QueuePage, ReviewFilter, queue_page

if TYPE_CHECKING:
    from django.contrib.auth.models import User

CLAIM_KEPT = timedelta(minutes=10)


def claim_batch(
    *, reviewer: User, wanted: ReviewFilter, most: int = MAX_CLAIMED, now: datetime
) -> QueuePage:
    """The next pictures of the queue, which now belong to the reviewer for CLAIM_KEPT.

    Pictures that the reviewer holds come again, and are held longer. Of two reviewers that ask at
    once, each gets other pictures; so there may be fewer than `most`. Pictures that wait for no
    decision are not claimed.
    """
    most = min(most, MAX_CLAIMED)
    with transaction.atomic():
        page = queue_page(wanted, reviewer, most=most, now=now)
        if not wanted.is_claimed or not page.ids:
            return page
        # a row that another claim or decision has locked is skipped, not waited for
        rows = GeneratedImage.objects.select_for_update(
            of=("self",), no_key=True, skip_locked=True
        ).filter(pk__in=page.ids)
        free = set(rows.values_list("pk", flat=True)) - held_by_others(page.ids, reviewer, now)
        until = now + CLAIM_KEPT
        claims = [
            ReviewClaim(image_id=key, reviewer=reviewer, until=until)
            for key in page.ids
            if key in free
        ]
        ReviewClaim.objects.bulk_create(
            claims,
            update_conflicts=True,
            unique_fields=["image"],
            update_fields=["reviewer", "until"],
        )
    return QueuePage(ids=[claim.image_id for claim in claims], next=page.next, until=until)


def held_by_others(keys: Collection[int], reviewer: User, now: datetime) -> set[int]:
    held = ReviewClaim.objects.filter(image__in=keys, until__gt=now).exclude(reviewer=reviewer)
    return set(held.values_list("image", flat=True))


def release_claims(*, reviewer: User, image_ids: Collection[int], until: datetime) -> None:
    """Return these pictures of the reviewer to the queue.

    `until`: the newest end of a claim that the page knows. One that ends later is of another page
    of the same reviewer, which may have claimed before this request came.
    """
    claims = ReviewClaim.objects.filter(reviewer=reviewer, until__lte=until)
    claims.filter(image__in=image_ids).delete()


def delete_expired_claims(*, now: datetime) -> None:
    ReviewClaim.objects.filter(until__lte=now).delete()
