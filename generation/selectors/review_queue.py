"""The queue of pictures that wait for a decision, and the rows that a decision is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet, Subquery

from generation.choices import ReviewState
from generation.error_codes import ErrorCode
from generation.exceptions import NotFound
from generation.models import GeneratedImage, Review, ReviewClaim
from generation.selectors.similar_pictures import similar_pictures
from generation.staff_permissions import REVIEW

if TYPE_CHECKING:
    from django.contrib.auth.models import User

MAX_SCANNED_PICTURES = 5_000
"""Pictures of one state that are read for one page if a filter may exclude any of them."""

WAITING, MINE = "waiting", "mine"
STATES = (WAITING, ReviewState.FLAGGED, ReviewState.HIDDEN, ReviewState.APPROVED, MINE)
CLAIMED_STATES = (WAITING, ReviewState.FLAGGED)
"""Of which each reviewer gets different pictures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFilter:
    """The defaults exclude nothing. `state`: one of STATES.

    `since` and `until` bound the submission; `words`: only pictures whose prompt a word rule
    matched; `after`: the id of the picture after which the page begins, 0 for the first page.
    `like`: only pictures, in any state, that look like the one with this id.
    """

    state: str = WAITING
    model: str = ""
    owner: str = ""
    since: datetime | None = None
    until: datetime | None = None
    words: bool = False
    after: int = 0
    like: int = 0

    @property
    def needs_scan(self) -> bool:
        return bool(self.model or self.owner or self.since or self.until or self.words)

    @property
    def is_claimed(self) -> bool:
        return self.state in CLAIMED_STATES and not self.like

    @property
    def newest_first(self) -> bool:
        """Whether it is history: what waits comes oldest first."""
        return not self.is_claimed


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePage:
    """Ids of pictures in their order; `next`: where to continue, None after the last.

    `until`: the end of the claims on them; None if they are not claimed.
    """

    ids: list[int]
    next: int | None
    until: datetime | None = None


def may_review(user: User) -> bool:
    return user.is_active and user.has_perm(REVIEW)


def reviewable(image_id: int, reviewer: User, *, lock: bool = False) -> GeneratedImage:
    """The picture with its task and owner, in the trash or not; raises NotFound.

    `lock`: until the end of the transaction.
    """
    if not may_review(reviewer):
        raise NotFound
    rows = GeneratedImage.objects.select_related("task__owner")
    if lock:
        rows = rows.select_for_update(of=("self",), no_key=True)
    image = rows.filter(pk=image_id).first()
    if image is None:
        raise NotFound
    return image


def decision_refusal(image: GeneratedImage, reviewer: User) -> ErrorCode | None:
    """Why a colleague has to decide about it; None for a superuser, who decides about any."""
    if reviewer.is_superuser:
        return None
    if image.task.owner_id == reviewer.pk:
        return ErrorCode.OWN_PICTURE
    rows = GeneratedImage.objects.filter(pk=image.pk)
    return None if without_own_decisions(rows, reviewer).exists() else ErrorCode.SECOND_REVIEWER


def without_own_decisions(
    rows: QuerySet[GeneratedImage], reviewer: User
) -> QuerySet[GeneratedImage]:
    """Those that wait for no second reviewer after a decision of this one.

    After a flag, and after an appeal against the hiding.
    """
    decisions = Review.objects.filter(image=OuterRef("pk")).order_by("-version")
    newest = decisions.filter(version=OuterRef("review_version"), decided_by=reviewer)
    hider = decisions.filter(state=ReviewState.HIDDEN).values("decided_by")[:1]
    rows = rows.exclude(Exists(newest), review_state=ReviewState.FLAGGED)
    return rows.alias(hider=Subquery(hider)).exclude(appeal__is_open=True, hider=reviewer.pk)


def newest_review(image: GeneratedImage) -> Review | None:
    return Review.objects.filter(image=image).order_by("-version").first()


def live_pictures() -> QuerySet[GeneratedImage]:
    """Pictures outside the trash."""
    return GeneratedImage.objects.filter(deleted_at__isnull=True, task__deleted_at__isnull=True)


def review_backlog() -> dict[str, QuerySet[Any]]:
    """What waits for reviewers, outside the trash."""
    live = live_pictures()
    return {
        "unreviewed": live.filter(review_state=ReviewState.UNREVIEWED),
        "flagged": live.filter(review_state=ReviewState.FLAGGED),
        "appeals": live.filter(appeal__is_open=True),
    }


def queue_page(wanted: ReviewFilter, reviewer: User, *, most: int, now: datetime) -> QueuePage:
    """Up to `most` pictures that `reviewer` may decide about and no other reviewer holds.

    What waits comes oldest first, pictures with an open appeal before all others.
    """
    if wanted.like:
        return alike(wanted, most=most)
    if wanted.state == MINE:
        return decided_by(reviewer, wanted, most=most)
    first = appealed(wanted, reviewer, now)[:most] if not wanted.after else []
    rows, last = scanned_pictures(wanted)
    rows = offered(rows, wanted, reviewer, now).exclude(pk__in=first)
    order = "-pk" if wanted.newest_first else "pk"
    ids = list(rows.order_by(order).values_list("pk", flat=True)[: most - len(first) + 1])
    if len(ids) > most - len(first):
        following = ids.pop()
        # where appeals fill the page, the next one begins with what did not fit
        last = ids[-1] if ids else following - 1 or None
    return QueuePage(ids=[*first, *ids], next=last)


def appealed(wanted: ReviewFilter, reviewer: User, now: datetime) -> list[int]:
    """Pictures with an open appeal, oldest appeal first.

    A flagged one waits for a second reviewer, among the flagged.
    """
    if not wanted.is_claimed:
        return []
    rows: QuerySet[GeneratedImage] = GeneratedImage.objects.filter(appeal__is_open=True)
    flagged = Q(review_state=ReviewState.FLAGGED)
    rows = rows.filter(flagged if wanted.state == ReviewState.FLAGGED else ~flagged)
    rows = offered(rows, wanted, reviewer, now).order_by("appeal__created", "pk")
    return list(rows.values_list("pk", flat=True)[:MAX_SCANNED_PICTURES])


def held_by_colleagues(
    wanted: ReviewFilter, reviewer: User, *, now: datetime
) -> tuple[int, datetime | None]:
    """The number of pictures of the filter that other reviewers hold, and when a claim ends first.

    Reads claims alone, of which there are few.
    """
    if not wanted.is_claimed:
        return 0, None
    claims = ReviewClaim.objects.filter(until__gt=now).exclude(reviewer=reviewer)
    flagged = Q(review_state=ReviewState.FLAGGED)
    appealed = Q(appeal__is_open=True) & ~flagged
    waiting = Q(review_state=ReviewState.UNREVIEWED) | appealed
    in_state = flagged if wanted.state == ReviewState.FLAGGED else waiting
    rows = matching(live_pictures().filter(in_state), wanted)
    found = claims.filter(image__in=rows).aggregate(n=Count("pk"), at=Min("until"))
    return found["n"], found["at"]


def scanned_pictures(wanted: ReviewFilter) -> tuple[QuerySet[GeneratedImage], int | None]:
    """The pictures of the state after the cursor, and where to continue; None: at the end.

    If a filter may exclude any of them, only MAX_SCANNED_PICTURES are read.
    """
    state = ReviewState.UNREVIEWED if wanted.state == WAITING else wanted.state
    rows = GeneratedImage.objects.filter(review_state=state)
    if wanted.after:
        rows = rows.filter(**{"pk__lt" if wanted.newest_first else "pk__gt": wanted.after})
    if not wanted.needs_scan:
        return rows, None
    keys = rows.order_by("-pk" if wanted.newest_first else "pk").values_list("pk", flat=True)
    edge = list(keys[MAX_SCANNED_PICTURES - 1 : MAX_SCANNED_PICTURES + 1])
    if len(edge) < 2:
        return rows, None
    last = edge[0]
    return rows.filter(**{"pk__gte" if wanted.newest_first else "pk__lte": last}), last


def offered(
    rows: QuerySet[GeneratedImage], wanted: ReviewFilter, reviewer: User, now: datetime
) -> QuerySet[GeneratedImage]:
    """Those that match the filter, outside the trash, that this reviewer may decide about."""
    rows = matching(rows, wanted).filter(deleted_at__isnull=True, task__deleted_at__isnull=True)
    if not wanted.is_claimed:
        return rows
    if not reviewer.is_superuser:
        rows = without_own_decisions(rows.exclude(task__owner=reviewer), reviewer)
    held = ReviewClaim.objects.filter(image=OuterRef("pk"), until__gt=now)
    return rows.filter(~Exists(held.exclude(reviewer=reviewer)))


def matching(rows: QuerySet[GeneratedImage], wanted: ReviewFilter) -> QuerySet[GeneratedImage]:
    if wanted.model:
        rows = rows.filter(task__model=wanted.model)
    if wanted.owner:
        rows = rows.filter(task__owner__username=wanted.owner)
    if wanted.since:
        rows = rows.filter(task__created__gte=wanted.since)
    if wanted.until:
        rows = rows.filter(task__created__lt=wanted.until)
    return rows.exclude(task__word_action="") if wanted.words else rows


def decided_by(reviewer: User, wanted: ReviewFilter, *, most: int) -> QueuePage:
    """The pictures about which `reviewer` decided last, newest decision first."""
    reviews = Review.objects.filter(reviewer=reviewer).order_by("-created", "-pk")
    newest = reviews.filter(image__isnull=False).values_list("image", flat=True)[
        :MAX_SCANNED_PICTURES
    ]
    keys = list(dict.fromkeys(newest))
    rows = matching(live_pictures().filter(pk__in=keys[: 4 * most]), wanted)
    found = set(rows.values_list("pk", flat=True))
    return QueuePage(ids=[key for key in keys if key in found][:most], next=None)


def alike(wanted: ReviewFilter, *, most: int) -> QueuePage:
    """The picture and those that look like it, newest first, in any state."""
    image = GeneratedImage.objects.filter(pk=wanted.like).first()
    keys = similar_pictures(image, most=most) if image else []
    rows = matching(live_pictures().filter(pk__in=keys), wanted).order_by("-pk")
    return QueuePage(ids=list(rows.values_list("pk", flat=True)), next=None)
