"""The queue of pictures, and which reviewer has which of them in hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from generation import services
from generation.models import Appeal, GeneratedImage, GenerationTask, ReviewClaim
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
def pictures(alice: User, media: Path, now: datetime) -> list[GeneratedImage]:
    """Five pictures, oldest first."""
    return [picture_of(alice, now, prompt=f"number {number}") for number in range(5)]


def claim(reviewer: User, now: datetime, most: int = 120, **wanted: object) -> list[int]:
    filtered = ReviewFilter(**wanted)  # type: ignore[arg-type]
    return services.claim_batch(reviewer=reviewer, wanted=filtered, most=most, now=now).ids


def keys(*pictures: GeneratedImage) -> list[int]:
    return [picture.pk for picture in pictures]


def test_each_reviewer_gets_other_pictures(
    renu: User, ravi: User, pictures: list[GeneratedImage], now: datetime
) -> None:
    assert claim(renu, now, most=2) == keys(*pictures[:2])
    assert claim(ravi, now, most=2) == keys(*pictures[2:4])
    # again, and more
    assert claim(renu, now, most=4) == keys(*pictures[:2], pictures[4])


def test_an_expired_claim_is_given_to_another(
    renu: User, ravi: User, pictures: list[GeneratedImage], now: datetime
) -> None:
    claim(renu, now)
    later = now + timedelta(minutes=9)
    assert claim(ravi, later) == []

    # asking again holds them longer
    claim(renu, later)
    assert claim(ravi, now + timedelta(minutes=11)) == []

    assert claim(ravi, now + timedelta(minutes=19)) == keys(*pictures)
    assert claim(renu, now + timedelta(minutes=19)) == []


def test_released_claims_are_free_at_once(
    renu: User, ravi: User, pictures: list[GeneratedImage], now: datetime
) -> None:
    page = services.claim_batch(reviewer=renu, wanted=ReviewFilter(), now=now)
    assert page.until is not None

    services.release_claims(reviewer=renu, image_ids=page.ids[:3], until=page.until)

    assert claim(ravi, now) == keys(*pictures[:3])


def test_a_page_releases_only_its_own_claims(
    renu: User, ravi: User, pictures: list[GeneratedImage], now: datetime
) -> None:
    """The next page of the same reviewer may claim before the old page's request comes."""
    old = services.claim_batch(reviewer=renu, wanted=ReviewFilter(), most=3, now=now)
    claim(renu, now + timedelta(microseconds=1), most=2)
    assert old.until is not None

    services.release_claims(reviewer=renu, image_ids=old.ids, until=old.until)
    services.release_claims(reviewer=ravi, image_ids=old.ids, until=now + timedelta(days=1))

    assert claim(ravi, now) == keys(*pictures[2:])


def test_the_cleanup_deletes_expired_claims_only(
    renu: User, pictures: list[GeneratedImage], now: datetime
) -> None:
    claim(renu, now)

    services.delete_expired_claims(now=now + timedelta(minutes=9))
    assert ReviewClaim.objects.count() == 5
    services.delete_expired_claims(now=now + timedelta(minutes=10))

    assert not ReviewClaim.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_reviewers_at_once_never_share_a_picture(alice: User, now: datetime) -> None:
    reviewers = [make_reviewer("renu"), make_reviewer("ravi")]
    for _each in range(6):
        picture_of(alice, now)

    for number in range(4):
        moment = now + timedelta(hours=number)
        first, second = at_once(*(partial(claim, each, moment, 4) for each in reviewers))

        assert not set(first) & set(second)
        assert first or second
        rows = ReviewClaim.objects.filter(until__gt=moment)
        assert set(rows.values_list("image", "reviewer")) == {
            *((key, reviewers[0].pk) for key in first),
            *((key, reviewers[1].pk) for key in second),
        }


def test_appeals_come_first(
    renu: User, ravi: User, pictures: list[GeneratedImage], now: datetime
) -> None:
    for number in (3, 1):
        decide(ravi, pictures[number], "hidden", now, note="no")
        Appeal.objects.create(
            image=pictures[number], text="why?", created=now - timedelta(minutes=number)
        )

    assert claim(renu, now, most=3) == keys(pictures[3], pictures[1], pictures[0])

    third = make_reviewer("rosa")
    decide(third, pictures[3], "flagged", now)
    decide(third, pictures[0], "flagged", now)
    assert claim(renu, now) == keys(pictures[1], pictures[2], pictures[4])
    assert claim(renu, now, state="flagged") == keys(pictures[3], pictures[0])


def test_a_second_reviewer_gets_flags_and_appeals(
    renu: User, ravi: User, pictures: list[GeneratedImage], now: datetime
) -> None:
    flagged, hidden = pictures[:2]
    decide(renu, flagged, "flagged", now)
    decide(renu, hidden, "hidden", now, note="no")
    Appeal.objects.create(image=hidden, text="why?", created=now)

    assert claim(renu, now, state="flagged") == []
    assert claim(renu, now) == keys(*pictures[2:])
    ReviewClaim.objects.all().delete()
    assert claim(ravi, now, state="flagged") == [flagged.pk]
    assert claim(ravi, now, most=1) == [hidden.pk]

    # a flag of the appeal leaves it to a reviewer who did neither
    decide(ravi, hidden, "flagged", now)
    assert claim(renu, now, state="flagged") == []
    assert claim(ravi, now, state="flagged") == [flagged.pk]
    ReviewClaim.objects.all().delete()
    third = make_reviewer("rosa")
    assert set(claim(third, now, state="flagged")) == {flagged.pk, hidden.pk}


def test_appeals_that_fill_a_page_hide_no_picture(
    renu: User, ravi: User, pictures: list[GeneratedImage], now: datetime
) -> None:
    for appealed in pictures[3:]:
        decide(ravi, appealed, "hidden", now, note="no")
        Appeal.objects.create(image=appealed, text="why?", created=now)
    GeneratedImage.objects.filter(pk=pictures[0].pk).update(review_state="approved")

    page = services.claim_batch(reviewer=renu, wanted=ReviewFilter(), most=2, now=now)
    assert page.ids == keys(*pictures[3:])
    assert page.next

    wanted = ReviewFilter(after=page.next)
    page = services.claim_batch(reviewer=renu, wanted=wanted, most=2, now=now)
    assert (page.ids, page.next) == (keys(*pictures[1:3]), None)


def test_filters(renu: User, bob: User, pictures: list[GeneratedImage], now: datetime) -> None:
    other = picture_of(bob, now - timedelta(days=2))
    tasks = GenerationTask.objects.filter(pk=other.task_id)
    tasks.update(model="Other", word_action="hold", created=now - timedelta(days=2))

    assert claim(renu, now, model="Other") == [other.pk]
    assert claim(renu, now, owner="bob") == [other.pk]
    assert claim(renu, now, words=True) == [other.pk]
    assert claim(renu, now, until=now - timedelta(days=1)) == [other.pk]
    assert claim(renu, now, since=now - timedelta(days=1)) == keys(*pictures)
    assert claim(renu, now, owner="carol") == []


def test_history_is_not_claimed(
    renu: User, ravi: User, pictures: list[GeneratedImage], now: datetime
) -> None:
    for number, picture in enumerate(pictures[:3]):
        decide(renu, picture, "approved", now + timedelta(seconds=number))

    assert claim(ravi, now, state="approved") == keys(*reversed(pictures[:3]))
    assert claim(renu, now, state="mine") == keys(*reversed(pictures[:3]))
    assert claim(ravi, now, state="mine") == []
    assert not ReviewClaim.objects.exists()


def test_the_trash_is_not_reviewed(
    renu: User, alice: User, pictures: list[GeneratedImage], now: datetime
) -> None:
    put_in_trash(alice, now, tasks=[each.task for each in pictures[1:]])

    assert claim(renu, now) == keys(pictures[0])


def test_pages_continue_after_a_cursor(
    renu: User, pictures: list[GeneratedImage], now: datetime
) -> None:
    first = services.claim_batch(reviewer=renu, wanted=ReviewFilter(), most=2, now=now)
    assert first.next == pictures[1].pk

    wanted = ReviewFilter(after=first.next)
    second = services.claim_batch(reviewer=renu, wanted=wanted, most=3, now=now)

    assert (second.ids, second.next) == (keys(*pictures[2:]), None)
