"""Statements written by hand for the session and the account of a request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AccountDeletion, Profile
from accounts.session_sql import account_by_id
from accounts.session_store import SessionStore

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return User.objects.create_user(
        "ann", email="ann@example.com", last_login=datetime(2026, 5, 1, 12, tzinfo=UTC)
    )


def columns(row: object) -> dict[str, object]:
    return {name: value for name, value in vars(row).items() if name != "_state"}


def test_account_equals_what_the_orm_reads(user: User) -> None:
    Profile.objects.update_or_create(user=user, defaults={"shown_name": "Ann", "theme": "dark"})
    due = timezone.now() + timedelta(days=7)
    AccountDeletion.objects.create(user=user, due_at=due)
    read, expected = account_by_id(user.pk), User.objects.get(pk=user.pk)
    assert read is not None
    assert columns(read) == columns(expected)
    with CaptureQueriesContext(connection) as queries:
        assert (read.profile.shown_name, read.profile.theme) == ("Ann", "dark")
        assert read.deletion.due_at == due
        assert read.profile.user is read
    assert not queries.captured_queries


def test_related_rows_that_are_missing_are_not_looked_up(user: User) -> None:
    Profile.objects.filter(user=user).delete()
    read = account_by_id(user.pk)
    assert read is not None
    with CaptureQueriesContext(connection) as queries:
        for name in ("profile", "deletion"):
            with pytest.raises(ObjectDoesNotExist):
                getattr(read, name)
    assert not queries.captured_queries


def test_account_that_does_not_exist(user: User) -> None:
    assert account_by_id(user.pk + 1) is None


def test_read_account_can_be_saved(user: User) -> None:
    read = account_by_id(user.pk)
    assert read is not None
    read.first_name = "Ann"
    read.save()
    assert User.objects.get().first_name == "Ann"


def test_session_is_read_until_it_expires() -> None:
    store = SessionStore()
    store["mark"] = "kept"
    store.save()
    assert SessionStore(store.session_key)["mark"] == "kept"
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    expired = SessionStore(store.session_key)
    assert dict(expired.items()) == {}
    assert expired.session_key is None
