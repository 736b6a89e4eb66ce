"""Old pictures move to the trash, where their owners find them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from generation import selectors, services
from generation.choices import RetentionKind
from generation.models import GenerationTask, RetentionRule
from tests.factories import TRASH_KEPT, finished_task, put_in_trash
from tests.services.old_tasks import AGE, prune_all

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("media")]

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def thirty_days(settings: Settings) -> None:
    settings.RETENTION_PICTURES = 30


def in_trash(owner: User, now: datetime) -> Collection[GenerationTask]:
    return {item.task for item in selectors.trash(owner, now=now).items}


def test_old_pictures_move_to_the_trash(alice: User, now: datetime) -> None:
    old = finished_task(alice, now - AGE, pictures=2)
    young = finished_task(alice, now - timedelta(days=29))

    pruned = prune_all(now)

    assert (pruned.pictures, pruned.bytes) == (2, sum(each.bytes for each in old.images.all()))
    assert in_trash(alice, now) == {old}
    assert services.restore(owner=alice, pictures=[], tasks=[old.pk], now=now) == 1
    assert not old.images.filter(deleted_at__isnull=False).exists()
    assert young.images.get().deleted_at is None


def test_favourites_stay(alice: User, now: datetime) -> None:
    task = finished_task(alice, now - AGE, pictures=2)
    services.set_favourite(owner=alice, pictures=[(task.pk, 1)], favourite=True)

    assert prune_all(now).pictures == 1

    assert [each.deleted_at is None for each in task.images.order_by("index")] == [True, False]
    task.refresh_from_db()
    assert task.deleted_at is None


def test_favourites_have_a_time_of_their_own(
    alice: User, now: datetime, settings: Settings
) -> None:
    settings.RETENTION_FAVOURITES = 60
    task = finished_task(alice, now - AGE)
    services.set_favourite(owner=alice, pictures=[(task.pk, 1)], favourite=True)

    assert prune_all(now).pictures == 0
    assert prune_all(now + timedelta(days=21)).pictures == 1


def test_shared_pictures_stay_until_the_link_ends(alice: User, now: datetime) -> None:
    task = finished_task(alice, now - AGE)
    _token, expires = services.create_link(task=task, now=now)

    assert prune_all(now).pictures == 0
    assert prune_all(expires).pictures == 1


def test_a_restored_picture_is_kept_as_long_again(alice: User, now: datetime) -> None:
    task = finished_task(alice, now - AGE)
    prune_all(now)
    services.restore(owner=alice, pictures=[(task.pk, 1)], tasks=[], now=now)

    assert prune_all(now + timedelta(days=30)).pictures == 0
    assert prune_all(now + timedelta(days=31)).pictures == 1


def test_each_user_has_an_own_time(alice: User, bob: User, now: datetime) -> None:
    RetentionRule.objects.create(user=bob, kind=RetentionKind.PICTURES, days=None)
    for owner in (alice, bob):
        finished_task(owner, now - AGE)

    assert prune_all(now).pictures == 1

    assert not in_trash(bob, now)


def test_open_pages_are_told(alice: User, now: datetime) -> None:
    finished_task(alice, now - AGE)

    prune_all(now)

    assert selectors.revision_of(alice.pk) == 1


def test_the_trash_of_each_user_has_an_own_time(alice: User, bob: User, now: datetime) -> None:
    RetentionRule.objects.create(user=bob, kind=RetentionKind.TRASH, days=7)
    tasks = [finished_task(owner, now) for owner in (alice, bob)]
    for owner, task in zip((alice, bob), tasks, strict=True):
        put_in_trash(owner, now - TRASH_KEPT, tasks=[task])

    assert sum(services.purge_trash(now=now)) == 1
    assert in_trash(bob, now) == {tasks[1]}
    assert sum(services.purge_trash(now=now + 6 * DAY - timedelta(seconds=1))) == 0
    assert sum(services.purge_trash(now=now + 6 * DAY)) == 1


def test_a_trash_that_is_kept_for_ever_can_be_emptied(alice: User, now: datetime) -> None:
    RetentionRule.objects.create(user=alice, kind=RetentionKind.TRASH, days=None)
    tasks = [finished_task(alice, now) for _each in range(2)]
    put_in_trash(alice, now - 400 * DAY, tasks=tasks)
    assert sum(services.purge_trash(now=now)) == 0
    assert selectors.trash(alice, now=now).items[0].hours_left is None

    services.delete_permanently(owner=alice, pictures=[], tasks=[tasks[0].pk], now=now)
    assert sum(services.purge_trash(now=now)) == 1
    assert services.empty_trash(owner=alice, now=now) == 1
    assert sum(services.purge_trash(now=now)) == 1
