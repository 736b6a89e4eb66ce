"""Decisions about pictures: each is a new row, and none replaces another."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction

from generation import broadcast, limits
from generation.choices import AuditAction, ReviewState
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput, ReviewConflict, ReviewRefused
from generation.models import Appeal, GeneratedImage, Review, ReviewClaim, ReviewReason
from generation.protocol import is_unicode
from generation.selectors.review_queue import decision_refusal, newest_review, reviewable
from generation.services.audit import record_action
from generation.services.collection_changes import publish_change

if TYPE_CHECKING:
    from django.contrib.auth.models import User

UNDO_WITHIN = timedelta(minutes=10)

WITHHOLDS = {ReviewState.HIDDEN: True, ReviewState.APPROVED: False}
"""A flag leaves a picture as it is, hidden or not, until a second reviewer decides."""


def decide(
    *,
    reviewer: User,
    image_id: int,
    version: int,
    state: ReviewState,
    reason: ReviewReason | None = None,
    note: str = "",
    now: datetime,
    address: str = "",
) -> Review:
    """Append a decision to the reviews of a picture whose newest one has the number `version`.

    A picture of an unfinished task, or in the trash, can be decided about: the trash may be
    restored. An open appeal is answered by approval and by hiding; after a flag it waits for a
    second reviewer.

    Raises NotFound without the permission, ReviewConflict if another decision came first,
    ReviewRefused if a colleague has to decide, InvalidInput if a hidden picture has neither reason
    nor note.
    """
    note = read_note(note)
    if state == ReviewState.UNREVIEWED:
        raise InvalidInput(ErrorCode.BAD_MESSAGE, "state")
    if state == ReviewState.HIDDEN and reason is None and not note:
        raise InvalidInput(ErrorCode.REASON_MISSING, "reason")
    with transaction.atomic():
        image = reviewable(image_id, reviewer, lock=True)
        if image.review_version != version:
            raise conflict(image)
        refusal = decision_refusal(image, reviewer)
        if refusal is not None:
            raise ReviewRefused(refusal)
        review = Review(
            state=state,
            reason_english="" if reason is None else reason.english,
            reason_chinese="" if reason is None else reason.chinese,
            note=note,
            decided_by=reviewer,
        )
        append(review, image, reviewer, now, withheld=WITHHOLDS.get(state, image.withheld))
        if state != ReviewState.FLAGGED:
            answer_appeal(image, review)
        record(review, image, reviewer, now, address)
    return review


def undo(
    *, reviewer: User, image_id: int, version: int, now: datetime, address: str = ""
) -> Review:
    """Restore what was before decision `version`, by one more decision; returns that.

    Only the reviewer's own decision, within UNDO_WITHIN, and only while it is the newest. Raises
    NotFound, ReviewConflict or ReviewRefused.
    """
    with transaction.atomic():
        image = reviewable(image_id, reviewer, lock=True)
        if image.review_version != version:
            raise conflict(image)
        undone = newest_review(image)
        if (
            undone is None
            or undone.reviewer_id != reviewer.pk
            or undone.created < now - UNDO_WITHIN
        ):
            raise ReviewRefused(ErrorCode.UNDO_REFUSED)
        before = (
            Review.objects.filter(image=image, version__lt=version).order_by("-version").first()
        )
        review = Review(state=ReviewState.UNREVIEWED) if before is None else copy_of(before)
        append(review, image, reviewer, now, withheld=undone.was_withheld)
        if review.state != ReviewState.HIDDEN:
            answer_appeal(image, review)
        Appeal.objects.filter(answer=undone).update(is_open=True, answer=None)
        record(review, image, reviewer, now, address, undone=version)
    return review


def read_note(text: str) -> str:
    """The note without space around it; raises InvalidInput."""
    note = text.strip()
    if len(note) > limits.MAX_REVIEW_NOTE or "\0" in note or not is_unicode(note):
        raise InvalidInput(ErrorCode.NOTE_INVALID, "note")
    return note


def conflict(image: GeneratedImage) -> ReviewConflict:
    newest = newest_review(image)
    name = "" if newest is None else newest.reviewer_name
    return ReviewConflict(
        state=image.review_state, version=image.review_version, reviewer_name=name
    )


def copy_of(review: Review) -> Review:
    """An unsaved decision with the same state and reasons."""
    return Review(
        state=review.state,
        reason_english=review.reason_english,
        reason_chinese=review.reason_chinese,
        note=review.note,
        decided_by=review.decided_by,
    )


def append(
    review: Review, image: GeneratedImage, reviewer: User, now: datetime, *, withheld: bool
) -> None:
    """Save `review` as the newest of `image`, which the caller has locked and compared."""
    review.image, review.image_index = image, image.index
    review.owner, review.task = image.task.owner, image.task_id
    review.sha256 = image.sha256
    review.version = image.review_version + 1
    review.reviewer = reviewer
    review.reviewer_name = reviewer.get_username()
    review.was_withheld = image.withheld
    review.created = now
    changes = {
        "review_state": review.state,
        "review_version": review.version,
        "withheld": withheld,
    }
    rows = GeneratedImage.objects.filter(pk=image.pk, review_version=image.review_version)
    if not rows.update(**changes):
        raise conflict(image)
    review.save(force_insert=True)
    ReviewClaim.objects.filter(image=image).delete()
    # for the owner an approval of a picture that was shown anyway is no change
    if withheld or image.withheld:
        key = (image.task_id, image.index)
        publish_change(image.task.owner, "reviewed", pictures=[key])
    transaction.on_commit(broadcast.publish_review, robust=True)


def answer_appeal(image: GeneratedImage, review: Review) -> None:
    Appeal.objects.filter(image=image, is_open=True).update(is_open=False, answer=review)


def record(
    review: Review,
    image: GeneratedImage,
    reviewer: User,
    now: datetime,
    address: str,
    **details: Any,
) -> None:
    record_action(
        actor=reviewer,
        action=AuditAction.REVIEWED,
        now=now,
        address=address,
        task=image.task_id,
        image_index=image.index,
        owner=image.task.owner,
        state=str(review.state),
        before=str(image.review_state),
        version=review.version,
        **details,
    )
