"""What a task that ends gives back to the limits of its owner."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from generation import services
from generation.choices import LimitKind, TaskStatus
from generation.models import GenerationTask, Worker
from tests.concurrency import at_once
from tests.conftest import serve_model
from tests.factories import claim_one, fail, settle, store, submit
from tests.services.limit_usage import EFFORT, refused, used

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("model")]


def test_a_failed_task_gives_everything_back_once(
    alice: User, worker: Worker, now: datetime, settings: Settings
) -> None:
    settings.LIMIT_PICTURES_PER_DAY, settings.LIMIT_EFFORT_PER_DAY = 4, 4 * EFFORT
    submit(alice, now, n=4)
    claim = claim_one(worker, now)
    store(claim, now)
    assert refused(alice, now).left == 0

    fail(claim, now)
    settle(claim, now)

    assert used(alice, LimitKind.PICTURES) == used(alice, LimitKind.EFFORT) == 0
    retried = services.retry(task=claim.task, key=None, now=now).task
    assert (retried.charged_images, retried.charged_effort) == (4, 4 * EFFORT)
    assert used(alice, LimitKind.PICTURES) == 4


def test_a_task_that_is_cancelled_in_the_queue_gives_everything_back(
    alice: User, now: datetime, settings: Settings
) -> None:
    settings.LIMIT_PICTURES_PER_DAY = settings.LIMIT_SUBMISSIONS_PER_MINUTE = 2
    task = submit(alice, now, n=2)

    services.request_cancel(task_id=task.pk, now=now)

    assert used(alice, LimitKind.PICTURES) == 0
    assert used(alice, LimitKind.SUBMISSIONS) == 1
    submit(alice, now, n=2)


def test_a_task_that_is_cancelled_later_pays_for_its_pictures(
    alice: User, worker: Worker, now: datetime, settings: Settings
) -> None:
    settings.LIMIT_PICTURES_PER_DAY, settings.LIMIT_EFFORT_PER_DAY = 4, 4 * EFFORT
    task = submit(alice, now, n=3)
    claim = claim_one(worker, now)
    store(claim, now)

    services.request_cancel(task_id=task.pk, now=now)
    settle(claim, now)

    task.refresh_from_db()
    assert task.status == TaskStatus.CANCELLED
    assert (task.charged_images, task.charged_effort) == (1, EFFORT)
    assert used(alice, LimitKind.PICTURES) == 1
    assert used(alice, LimitKind.EFFORT) == EFFORT


def test_a_task_gives_back_to_the_day_that_it_was_charged_on(
    alice: User, now: datetime, settings: Settings
) -> None:
    settings.LIMIT_PICTURES_PER_DAY = 1
    task = submit(alice, now)
    tomorrow = now + timedelta(days=1)
    submit(alice, tomorrow)

    services.request_cancel(task_id=task.pk, now=tomorrow)

    assert refused(alice, tomorrow).left == 0
    assert used(alice, LimitKind.PICTURES) == 1


def test_tasks_of_earlier_versions_give_nothing_back(
    alice: User, now: datetime, settings: Settings
) -> None:
    task = submit(alice, now)
    settings.LIMIT_PICTURES_PER_DAY = 2
    submit(alice, now)

    services.request_cancel(task_id=task.pk, now=now)

    assert used(alice, LimitKind.PICTURES) == 1


@pytest.mark.django_db(transaction=True)
def test_a_variation_and_the_end_of_its_parent_do_not_block_each_other(
    alice: User, worker: Worker, now: datetime, settings: Settings
) -> None:
    settings.LIMIT_PICTURES_PER_DAY = 1_000
    serve_model(now=now, slots=4)
    for _round in range(12):
        parent = submit(alice, now)
        claim = claim_one(worker, now)

        at_once(
            partial(fail, claim, now),
            partial(submit, alice, now, parent=str(parent.pk)),
            partial(submit, alice, now, parent=str(parent.pk)),
        )
        settle(claim, now)
        for task in GenerationTask.objects.unfinished():
            services.request_cancel(task_id=task.pk, now=now)

    assert used(alice, LimitKind.PICTURES) == 0
