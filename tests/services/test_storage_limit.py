"""Stored bytes, which the trash keeps until it is emptied."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from generation import selectors, services
from generation.choices import LimitKind
from generation.models import LimitUsage, Worker
from tests.factories import claim_one, finished_task, put_in_trash, settle, store, submit
from tests.services.limit_usage import left, refused, used

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("model")]


def test_storage_counts_what_is_stored_until_the_trash_is_emptied(
    alice: User, worker: Worker, now: datetime, media: Any, settings: Settings
) -> None:
    finished_task(alice, now, pictures=2)
    before = selectors.stored_bytes(alice.pk).total
    size = store_one(alice, worker, now).bytes
    settings.LIMIT_STORAGE = before + size + 1
    # counted for the first time here
    kept = store_one(alice, worker, now)

    error = refused(alice, now)

    assert (error.kind, error.left, error.renews_at) == (LimitKind.STORAGE, 0, None)
    put_in_trash(alice, now, tasks=[kept.task])
    assert refused(alice, now).left == 0
    services.empty_trash(owner=alice, now=now)
    list(services.purge_trash(now=now))
    assert used(alice, LimitKind.STORAGE) == selectors.stored_bytes(alice.pk).total
    assert left(alice, LimitKind.STORAGE, now) == 1
    submit(alice, now)


def test_storage_follows_every_way_of_deleting(
    alice: User, worker: Worker, now: datetime, media: Any, settings: Settings
) -> None:
    settings.LIMIT_STORAGE = 10**9
    first = finished_task(alice, now, pictures=2)
    store_one(alice, worker, now)
    assert used(alice, LimitKind.STORAGE) > 0
    services.recount_storage()
    later = now + timedelta(days=2)

    put_in_trash(alice, now, (first, 1))
    list(services.purge_trash(now=later))
    assert used(alice, LimitKind.STORAGE) == selectors.stored_bytes(alice.pk).total
    services.prune_batch(before=later)

    assert used(alice, LimitKind.STORAGE) == selectors.stored_bytes(alice.pk).total == 0


def store_one(owner: User, worker: Worker, now: datetime) -> Any:
    """Submit a task, draw its only picture, and free the slot."""
    submit(owner, now)
    claim = claim_one(worker, now)
    image = store(claim, now)
    services.complete(task_id=claim.task.pk, attempt=claim.task.attempt, measured={}, now=now)
    settle(claim, now)
    return image


def test_a_recount_heals_what_was_missed(
    alice: User, worker: Worker, now: datetime, settings: Settings
) -> None:
    settings.LIMIT_STORAGE = 10**9
    size = store_one(alice, worker, now).bytes
    LimitUsage.objects.filter(kind=LimitKind.STORAGE).update(used=7)

    services.recount_storage()

    assert used(alice, LimitKind.STORAGE) == size
