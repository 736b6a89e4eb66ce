"""Decisions about pictures: appended, compared, undone."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User

from generation import services
from generation.choices import AuditAction, ReviewState
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput, NotFound, ReviewConflict, ReviewRefused
from generation.models import (
    Appeal,
    AuditEntry,
    Collection,
    GeneratedImage,
    Review,
    ReviewClaim,
    ReviewReason,
)
from generation.selectors.review_desk import picture_review
from generation.selectors.review_queue import ReviewFilter
from tests.concurrency import at_once
from tests.factories import put_in_trash
from tests.reviewing import decide, make_reviewer, picture_of

pytestmark = pytest.mark.usefixtures("media")


@pytest.fixture
def renu(db: None) -> User:
    return make_reviewer("renu")


@pytest.fixture
def ravi(db: None) -> User:
    """Another reviewer."""
    return make_reviewer("ravi")


@pytest.fixture
def image(alice: User, media: Path, now: datetime) -> GeneratedImage:
    return picture_of(alice, now)


def states_of(image: GeneratedImage) -> list[tuple[int, str]]:
    return list(image.reviews.order_by("version").values_list("version", "state"))


def test_a_decision_is_appended(
    renu: User, alice: User, image: GeneratedImage, now: datetime
) -> None:
    reason = ReviewReason.objects.get(position=1)

    review = decide(renu, image, "hidden", now, reason=reason, note=" cover it ", address="::1")

    image.refresh_from_db()
    assert (image.review_state, image.review_version, image.withheld) == ("hidden", 1, True)
    assert (review.reviewer_name, review.note) == ("renu", "cover it")
    assert (review.reason_english, review.reason_chinese) == (reason.english, reason.chinese)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.owner_name) == (AuditAction.REVIEWED, renu, "alice")
    assert (entry.task, entry.image_index, entry.address) == (image.task_id, 1, "::1")
    assert entry.details == {"state": "hidden", "before": "unreviewed", "version": 1}


def test_the_owner_is_told_of_a_change_only(
    renu: User, alice: User, image: GeneratedImage, now: datetime
) -> None:
    def revision() -> int:
        return Collection.objects.get_or_create(owner=alice)[0].revision

    before = revision()
    decide(renu, image, "approved", now)
    assert revision() == before

    decide(renu, image, "hidden", now, note="no")
    decide(renu, image, "approved", now)
    assert revision() == before + 2


def test_a_flag_withholds_nothing_and_shows_nothing(
    renu: User, ravi: User, image: GeneratedImage, now: datetime
) -> None:
    for reviewer, before in ((renu, False), (ravi, True)):
        GeneratedImage.objects.filter(pk=image.pk).update(withheld=before)

        decide(reviewer, image, "flagged", now)

        image.refresh_from_db()
        assert image.withheld is before


def test_the_second_decision_about_the_same_version_is_refused(
    renu: User, ravi: User, image: GeneratedImage, now: datetime
) -> None:
    decide(renu, image, "flagged", now)

    with pytest.raises(ReviewConflict) as refused:
        services.decide(
            reviewer=ravi, image_id=image.pk, version=0, state=ReviewState.APPROVED, now=now
        )

    assert refused.value.reviewer_name == "renu"
    assert (refused.value.state, refused.value.version) == ("flagged", 1)
    assert states_of(image) == [(1, "flagged")]


@pytest.mark.django_db(transaction=True)
def test_of_two_reviewers_at_once_one_decides(alice: User, now: datetime) -> None:
    reviewers = [make_reviewer("renu"), make_reviewer("ravi")]

    def outcome(reviewer: User, image: GeneratedImage, state: ReviewState) -> str:
        try:
            services.decide(
                reviewer=reviewer, image_id=image.pk, version=0, state=state, note="x", now=now
            )
        except ReviewConflict as refused:
            return f"lost to {refused.state}"
        return state.value

    for _round in range(6):
        image = picture_of(alice, now)

        outcomes = at_once(
            partial(outcome, reviewers[0], image, ReviewState.APPROVED),
            partial(outcome, reviewers[1], image, ReviewState.HIDDEN),
        )

        image.refresh_from_db()
        won = image.review_state
        assert sorted(outcomes) == sorted([won, f"lost to {won}"])
        assert states_of(image) == [(1, won)]
        assert image.withheld is (won == ReviewState.HIDDEN)


def test_a_hidden_picture_has_a_reason(renu: User, image: GeneratedImage, now: datetime) -> None:
    for note in ("", "   "):
        with pytest.raises(InvalidInput) as refused:
            decide(renu, image, "hidden", now, note=note)
        assert refused.value.code == ErrorCode.REASON_MISSING
    for note in ("a" * 501, "\0", "\ud800"):
        with pytest.raises(InvalidInput) as refused:
            decide(renu, image, "hidden", now, note=note)
        assert refused.value.code == ErrorCode.NOTE_INVALID
    assert states_of(image) == []


def test_without_the_permission_no_picture_exists(
    rita: User, alice: User, image: GeneratedImage, now: datetime
) -> None:
    """Neither for staff that may view and change all tasks nor for the owner."""
    rita.user_permissions.add(Permission.objects.get(codename="change_generationtask"))
    for other in (rita, alice):
        with pytest.raises(NotFound):
            decide(User.objects.get(pk=other.pk), image, "approved", now)
    assert states_of(image) == []


def test_an_account_that_was_disabled_decides_nothing(
    renu: User, image: GeneratedImage, now: datetime
) -> None:
    renu.is_active = False

    with pytest.raises(NotFound):
        decide(renu, image, "approved", now)


def test_flags_and_appeals_need_a_second_reviewer(
    renu: User, ravi: User, image: GeneratedImage, now: datetime
) -> None:
    def is_refused(reviewer: User) -> bool:
        with pytest.raises(ReviewRefused) as refused:
            decide(reviewer, image, "approved", now)
        return refused.value.code == ErrorCode.SECOND_REVIEWER

    decide(renu, image, "flagged", now)
    assert is_refused(renu)
    # who takes back a decision is not the one who flagged
    decide(ravi, image, "approved", now)
    services.undo(reviewer=ravi, image_id=image.pk, version=2, now=now)
    assert is_refused(renu)

    decide(ravi, image, "hidden", now, note="no")
    Appeal.objects.create(image=image, text="why?", created=now)
    assert is_refused(ravi)
    decide(renu, image, "approved", now)
    assert not Appeal.objects.get().is_open

    decide(renu, image, "flagged", now)
    User.objects.filter(pk=renu.pk).update(is_superuser=True)
    decide(User.objects.get(pk=renu.pk), image, "approved", now)


def test_own_pictures_are_left_to_colleagues(renu: User, media: Path, now: datetime) -> None:
    own = picture_of(renu, now)

    with pytest.raises(ReviewRefused):
        decide(renu, own, "approved", now)
    page = services.claim_batch(reviewer=renu, wanted=ReviewFilter(), now=now)

    assert page.ids == []
    renu.is_superuser = True
    assert decide(renu, own, "approved", now).version == 1


def test_a_picture_in_the_trash_can_be_hidden(
    renu: User, alice: User, image: GeneratedImage, now: datetime
) -> None:
    put_in_trash(alice, now, tasks=[image.task])

    assert services.claim_batch(reviewer=renu, wanted=ReviewFilter(), now=now).ids == []
    decide(renu, image, "hidden", now, note="no")

    image.refresh_from_db()
    assert image.withheld


def test_undo_restores_what_was_before(
    renu: User, ravi: User, image: GeneratedImage, now: datetime
) -> None:
    GeneratedImage.objects.filter(pk=image.pk).update(withheld=True)
    decide(ravi, image, "flagged", now, note="hands")
    decide(renu, image, "approved", now)

    restored = services.undo(reviewer=renu, image_id=image.pk, version=2, now=now)

    image.refresh_from_db()
    assert (restored.state, restored.note, restored.version) == ("flagged", "hands", 3)
    assert (image.review_state, image.withheld) == ("flagged", True)
    assert AuditEntry.objects.latest("pk").details["undone"] == 2

    services.undo(reviewer=renu, image_id=image.pk, version=3, now=now)
    image.refresh_from_db()
    assert (image.review_state, image.withheld) == ("approved", False)


def test_undo_of_the_first_decision(renu: User, image: GeneratedImage, now: datetime) -> None:
    decide(renu, image, "hidden", now, note="no")

    services.undo(reviewer=renu, image_id=image.pk, version=1, now=now)

    image.refresh_from_db()
    assert (image.review_state, image.withheld) == ("unreviewed", False)
    assert states_of(image) == [(1, "hidden"), (2, "unreviewed")]


def test_what_cannot_be_undone(
    renu: User, ravi: User, image: GeneratedImage, now: datetime
) -> None:
    decide(renu, image, "flagged", now)

    with pytest.raises(ReviewRefused):
        services.undo(reviewer=ravi, image_id=image.pk, version=1, now=now)
    late = now + services.UNDO_WITHIN + timedelta(seconds=1)
    with pytest.raises(ReviewRefused):
        services.undo(reviewer=renu, image_id=image.pk, version=1, now=late)
    decide(ravi, image, "approved", now)
    with pytest.raises(ReviewConflict):
        services.undo(reviewer=renu, image_id=image.pk, version=1, now=now)

    assert states_of(image) == [(1, "flagged"), (2, "approved")]


def test_an_appeal_is_answered_by_approval_or_hiding(
    renu: User, ravi: User, image: GeneratedImage, now: datetime
) -> None:
    decide(renu, image, "hidden", now, note="no")
    appeal = Appeal.objects.create(image=image, text="It is a statue.", created=now)

    decide(make_reviewer("rosa"), image, "flagged", now)
    appeal.refresh_from_db()
    assert appeal.is_open

    answer = decide(ravi, image, "approved", now)
    appeal.refresh_from_db()
    assert (appeal.is_open, appeal.answer) == (False, answer)

    services.undo(reviewer=ravi, image_id=image.pk, version=answer.version, now=now)
    appeal.refresh_from_db()
    assert (appeal.is_open, appeal.answer) == (True, None)
    image.refresh_from_db()
    assert image.withheld


def test_a_decision_ends_the_claim(renu: User, image: GeneratedImage, now: datetime) -> None:
    services.claim_batch(reviewer=renu, wanted=ReviewFilter(), now=now)
    assert ReviewClaim.objects.get().reviewer == renu

    decide(renu, image, "approved", now)

    assert not ReviewClaim.objects.exists()
    assert Review.objects.count() == 1


def test_decisions_outlive_the_picture_and_not_the_account(
    renu: User, alice: User, image: GeneratedImage, now: datetime
) -> None:
    """Deleting a hidden picture does not delete that it was hidden."""
    other = picture_of(alice, now)
    decide(renu, image, "flagged", now)
    decide(make_reviewer("ravi"), image, "hidden", now, note="no")
    task = image.task_id

    image.task.delete()

    rows = Review.objects.order_by("version")
    assert [(each.image, each.task, each.image_index) for each in rows] == [(None, task, 1)] * 2
    about = picture_review(other, renu, now=now)
    assert about.owner_counts == {"unreviewed": 1, "hidden": 1}
    assert [each.note for each in about.owner_reviews] == ["no"]
    assert services.claim_batch(reviewer=renu, wanted=ReviewFilter(state="mine"), now=now).ids == []

    User.objects.get(pk=alice.pk).delete()
    assert not Review.objects.exists()
