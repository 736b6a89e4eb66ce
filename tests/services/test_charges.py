"""Limits of users: whose counts, and what a task takes."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from generation import selectors, services
from generation.choices import LimitKind, TaskStatus
from generation.exceptions import LimitReached
from generation.models import GenerationTask, LimitOverride, LimitUsage
from generation.selectors.allowances import MOST_OWNERS
from tests.concurrency import at_once
from tests.factories import submit
from tests.services.limit_usage import EFFORT, left, refused, used

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("model")]


@pytest.mark.parametrize(
    ("setting", "limit", "kind", "left_over"),
    [
        ("LIMIT_UNFINISHED", 2, LimitKind.UNFINISHED, 0),
        ("LIMIT_PICTURES_PER_DAY", 5, LimitKind.PICTURES, 1),
        ("LIMIT_EFFORT_PER_DAY", 5 * EFFORT, LimitKind.EFFORT, EFFORT),
        ("LIMIT_EFFORT", 2 * EFFORT - 1, LimitKind.TASK_EFFORT, 2 * EFFORT - 1),
        ("LIMIT_SUBMISSIONS_PER_MINUTE", 2, LimitKind.SUBMISSIONS, 0),
    ],
)
def test_each_limit_refuses_what_does_not_fit(
    alice: User,
    bob: User,
    now: datetime,
    settings: Settings,
    setting: str,
    limit: int,
    kind: LimitKind,
    left_over: int,
) -> None:
    setattr(settings, setting, limit)
    n = 1 if kind == LimitKind.TASK_EFFORT else 2
    submit(alice, now, n=n)
    submit(alice, now, n=n)

    error = refused(alice, now, n=2)

    assert (error.kind, error.limit, error.left) == (kind, limit, left_over)
    assert (error.renews_at is None) == (kind in {LimitKind.UNFINISHED, LimitKind.TASK_EFFORT})
    assert submit(bob, now).status == TaskStatus.QUEUED


def test_without_limits_nothing_is_counted(alice: User, now: datetime, settings: Settings) -> None:
    settings.LIMIT_UNFINISHED = 0
    task = submit(alice, now)

    assert selectors.allowances_of([alice.pk], now=now)[alice.pk].keys() == {LimitKind.CONNECTIONS}
    assert (task.charged_on, task.charged_images, task.charged_effort) == (None, 0, 0)
    assert not LimitUsage.objects.exists()


def test_a_submission_has_one_statement_more_for_each_counted_limit(
    alice: User, now: datetime, settings: Settings
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            submit(alice, now)
        return len(captured)

    submit(alice, now)
    unlimited = statements()
    settings.LIMIT_PICTURES_PER_DAY = 1_000
    assert statements() == unlimited + 1
    settings.LIMIT_EFFORT_PER_DAY = 1_000 * EFFORT
    settings.LIMIT_SUBMISSIONS_PER_MINUTE = 1_000
    settings.LIMIT_EFFORT = 1_000 * EFFORT
    assert statements() == unlimited + 3


def test_a_personal_limit_precedes_groups_and_of_groups_the_most_generous_counts(
    alice: User, bob: User, now: datetime, settings: Settings
) -> None:
    settings.LIMIT_PICTURES_PER_DAY = 1
    kind = LimitKind.PICTURES
    small, large = Group.objects.create(name="small"), Group.objects.create(name="large")
    for group, value in ((small, 5), (large, 20)):
        LimitOverride.objects.create(group=group, kind=kind, value=value)
    assert left(alice, kind, now) == 1

    alice.groups.add(small)
    assert left(alice, kind, now) == 5
    alice.groups.add(large)
    assert left(alice, kind, now) == 20
    LimitOverride.objects.filter(group=small).update(value=None)
    assert left(alice, kind, now) is None
    LimitOverride.objects.create(user=alice, kind=kind, value=3)
    assert left(alice, kind, now) == 3
    LimitOverride.objects.filter(user=alice).update(value=0)
    assert refused(alice, now).limit == 0
    LimitOverride.objects.filter(user=alice).update(value=None)
    assert left(alice, kind, now) is None
    assert left(bob, kind, now) == 1


def test_an_override_is_of_a_user_or_of_a_group(alice: User) -> None:
    group = Group.objects.create(name="both")
    for owners in ({}, {"user": alice, "group": group}):
        with pytest.raises(IntegrityError), transaction.atomic():
            LimitOverride.objects.create(**owners, kind=LimitKind.PICTURES, value=1)


def test_a_repeated_request_takes_nothing(alice: User, now: datetime, settings: Settings) -> None:
    settings.LIMIT_PICTURES_PER_DAY = settings.LIMIT_SUBMISSIONS_PER_MINUTE = 1
    key = uuid.uuid4()

    first = submit(alice, now, request_key=key)

    assert submit(alice, now, request_key=key).pk == first.pk
    assert used(alice, LimitKind.PICTURES) == used(alice, LimitKind.SUBMISSIONS) == 1


def test_days_are_those_of_the_installation(alice: User, settings: Settings, now: datetime) -> None:
    settings.TIME_ZONE = "Asia/Shanghai"
    settings.LIMIT_PICTURES_PER_DAY = settings.LIMIT_SUBMISSIONS_PER_MINUTE = 1
    zone = ZoneInfo("Asia/Shanghai")
    late = datetime(2026, 3, 1, 23, 59, 30, tzinfo=zone)
    with timezone.override("America/New_York"):
        submit(alice, late)
        LimitUsage.objects.filter(kind=LimitKind.SUBMISSIONS).delete()

        error = refused(alice, late)

        assert error.renews_at == datetime(2026, 3, 2, tzinfo=zone)
        submit(alice, error.renews_at)


def test_submissions_renew_with_the_minute(alice: User, now: datetime, settings: Settings) -> None:
    settings.LIMIT_SUBMISSIONS_PER_MINUTE = 1
    submit(alice, now)

    renews_at = refused(alice, now).renews_at

    assert renews_at is not None
    assert renews_at - now <= timedelta(minutes=1)
    submit(alice, renews_at)


@pytest.mark.parametrize("counted", ["pictures", "effort", "submissions", "unfinished"])
@pytest.mark.django_db(transaction=True)
def test_ten_submissions_at_once_do_not_pass_a_limit(
    alice: User, now: datetime, settings: Settings, counted: str
) -> None:
    settings.LIMIT_UNFINISHED = 5 if counted == "unfinished" else 0
    settings.LIMIT_PICTURES_PER_DAY = 5 if counted == "pictures" else 0
    settings.LIMIT_EFFORT_PER_DAY = 5 * EFFORT if counted == "effort" else 0
    settings.LIMIT_SUBMISSIONS_PER_MINUTE = 5 if counted == "submissions" else 0

    def tried() -> bool:
        try:
            submit(alice, now)
        except LimitReached:
            return False
        return True

    taken = at_once(*[tried] * 10)

    assert sum(taken) == GenerationTask.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_the_counter_alone_cannot_be_passed(alice: User, now: datetime) -> None:
    """Without the lock of the owner, as two services of the future may take from one limit."""
    LimitOverride.objects.create(user=alice, kind=LimitKind.PICTURES, value=5)
    allowance = selectors.allowances_of([alice.pk], now=now)[alice.pk][LimitKind.PICTURES]

    def tried() -> bool:
        try:
            services.charges.take(alice.pk, allowance, 1)
        except LimitReached:
            return False
        return True

    taken = at_once(*[tried] * 10)

    assert sum(taken) == used(alice, LimitKind.PICTURES) == 5


def test_usage_of_past_days_is_deleted(alice: User, now: datetime, settings: Settings) -> None:
    settings.LIMIT_PICTURES_PER_DAY = settings.LIMIT_SUBMISSIONS_PER_MINUTE = 5
    settings.LIMIT_STORAGE = 10**9
    submit(alice, now - timedelta(days=5))
    submit(alice, now)

    services.delete_past_usage(now=now)

    kinds = LimitUsage.objects.order_by("kind").values_list("kind", flat=True)
    assert list(kinds) == ["pictures", "storage", "submissions"]


def test_limits_of_many_owners_are_read_in_parts(alice: User, now: datetime) -> None:
    others = range(10**6, 10**6 + MOST_OWNERS)
    with CaptureQueriesContext(connection) as captured:
        found = selectors.allowances_of([alice.pk, *others], now=now)

    assert len(captured) == 2
    assert found.keys() == {alice.pk, *others}
