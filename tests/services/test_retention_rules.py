"""How long the data of each user is kept."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries, Settings

from generation import selectors
from generation.choices import RetentionKind
from generation.models import RetentionRule

pytestmark = pytest.mark.django_db

PROMPTS, LOGS = RetentionKind.PROMPTS, RetentionKind.LOGS


def rule(of: User | Group, kind: RetentionKind, days: int | None) -> None:
    owner = {"user": of} if isinstance(of, User) else {"group": of}
    RetentionRule.objects.create(kind=kind, days=days, **owner)


def group(name: str, *members: User) -> Group:
    made = Group.objects.create(name=name)
    made.user_set.add(*members)
    return made


def test_without_rules_the_settings_count(alice: User, settings: Settings) -> None:
    settings.RETENTION_PROMPTS = 90

    kept = selectors.days_kept_of(alice.pk)

    assert kept == {
        PROMPTS: 90,
        LOGS: None,
        RetentionKind.PICTURES: None,
        RetentionKind.FAVOURITES: None,
        RetentionKind.TRASH: 1,
    }


def test_the_longest_time_of_a_users_groups_counts(
    alice: User, bob: User, settings: Settings
) -> None:
    settings.RETENTION_PROMPTS = 7
    rule(group("short", alice, bob), PROMPTS, 10)
    rule(group("long", alice), PROMPTS, 30)
    rule(group("others"), PROMPTS, 99)

    kept = selectors.days_kept([alice.pk, bob.pk])

    assert (kept[alice.pk][PROMPTS], kept[bob.pk][PROMPTS]) == (30, 10)


def test_for_ever_is_longer_than_any_time(alice: User) -> None:
    rule(group("long", alice), LOGS, 30_000)
    rule(group("for ever", alice), LOGS, None)
    rule(group("short", alice), LOGS, 3)

    assert selectors.days_kept_of(alice.pk)[LOGS] is None


def test_a_users_own_rule_precedes_those_of_groups(alice: User, bob: User) -> None:
    rule(group("all", alice, bob), LOGS, None)
    rule(alice, LOGS, 3)

    kept = selectors.days_kept([alice.pk, bob.pk])

    assert (kept[alice.pk][LOGS], kept[bob.pk][LOGS]) == (3, None)


def test_one_query_reads_the_rules_of_many(
    alice: User, bob: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    rule(group("all", alice, bob), LOGS, 5)
    rule(alice, PROMPTS, 3)

    with django_assert_num_queries(1):
        selectors.days_kept([alice.pk, bob.pk])


@pytest.mark.parametrize("days", [0, 36_501])
def test_impossible_times_are_refused(alice: User, days: int) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        rule(alice, LOGS, days)


def test_a_rule_is_of_a_user_or_a_group(alice: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        RetentionRule.objects.create(user=alice, group=group("all"), kind=LOGS, days=3)
    with pytest.raises(IntegrityError), transaction.atomic():
        RetentionRule.objects.create(kind=LOGS, days=3)
