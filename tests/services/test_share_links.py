"""Share links: expiry and scope."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from generation import selectors, services
from generation.exceptions import NotFound, TransitionRefused
from generation.models import ShareLink
from tests.factories import finished_task, submit

pytestmark = pytest.mark.django_db


def works(token: str, now: datetime) -> bool:
    try:
        selectors.shared_task(token=token, now=now)
    except NotFound:
        return False
    return True


def test_a_link_is_a_hash_and_works_for_a_week(media: Path, alice: User, now: datetime) -> None:
    token, ends = services.create_link(task=finished_task(alice, now), now=now)

    assert ends == now + timedelta(days=7)
    assert works(token, ends - timedelta(seconds=1))
    assert not works(token, ends)
    assert not works(f"{token}x", now)
    assert token not in ShareLink.objects.get().token_hash


def test_ending_ends_every_link_of_that_task_alone(media: Path, alice: User, now: datetime) -> None:
    task, other = finished_task(alice, now), finished_task(alice, now)
    tokens = [services.create_link(task=task, now=now)[0] for _each in range(2)]
    kept, _ends = services.create_link(task=other, now=now)

    assert services.revoke_links(task=task) == 2
    assert services.revoke_links(task=task) == 0
    assert [works(token, now) for token in (*tokens, kept)] == [False, False, True]


def test_a_link_ends_with_its_task_or_owner(media: Path, alice: User, now: datetime) -> None:
    task = finished_task(alice, now, pictures=2)
    token, _ends = services.create_link(task=task, now=now)

    services.move_to_trash(owner=alice, pictures=[(task.pk, 1)], tasks=[], now=now)
    _link, pictures = selectors.shared_task(token=token, now=now)
    assert [image.index for image in pictures] == [2]

    services.move_to_trash(owner=alice, pictures=[], tasks=[task.pk], now=now)
    assert not works(token, now)
    services.restore(owner=alice, pictures=[], tasks=[task.pk], now=now)
    assert not works(token, now)
    token, _ends = services.create_link(task=task, now=now)
    assert works(token, now)
    alice.is_active = False
    alice.save()
    assert not works(token, now)


def test_without_a_picture_there_is_nothing_to_share(alice: User, now: datetime) -> None:
    with pytest.raises(TransitionRefused):
        services.create_link(task=submit(alice, now), now=now)


def test_links_do_not_pile_up(media: Path, alice: User, now: datetime) -> None:
    task = finished_task(alice, now)
    tokens = [
        services.create_link(task=task, now=now + timedelta(seconds=each))[0] for each in range(25)
    ]

    assert [works(token, now) for token in tokens] == [False] * 5 + [True] * 20
    assert services.delete_expired_links(now=now + timedelta(days=7, seconds=10)) == 6
    assert ShareLink.objects.count() == 14


def test_an_old_link_hides_restored_pictures(media: Path, alice: User, now: datetime) -> None:
    def shown(token: str) -> list[int]:
        _link, pictures = selectors.shared_task(token=token, now=later)
        return [image.index for image in pictures]

    later = now + timedelta(seconds=1)
    task = finished_task(alice, now, pictures=2)
    old, _ends = services.create_link(task=task, now=now)

    services.move_to_trash(owner=alice, pictures=[(task.pk, 1)], tasks=[], now=later)
    services.restore(owner=alice, pictures=[(task.pk, 1)], tasks=[], now=later)
    new, _ends = services.create_link(task=task, now=later)
    assert (shown(old), shown(new)) == ([2], [1, 2])

    services.move_to_trash(owner=alice, pictures=[(task.pk, 2)], tasks=[], now=later)
    assert not works(old, later)
    assert shown(new) == [1]


def test_the_last_picture_ends_its_links(media: Path, alice: User, now: datetime) -> None:
    task, other = finished_task(alice, now), finished_task(alice, now)
    token, _ends = services.create_link(task=task, now=now)
    kept, _ends = services.create_link(task=other, now=now)

    services.move_to_trash(owner=alice, pictures=[(task.pk, 1)], tasks=[], now=now)
    services.restore(owner=alice, pictures=[(task.pk, 1)], tasks=[], now=now)

    assert [works(token, now), works(kept, now)] == [False, True]
