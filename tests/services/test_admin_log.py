"""The admin's log after an account is deleted: nothing about it, everything about others."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.admin_log import DELETED_ACCOUNT, delete_entries
from accounts.models import ApiToken, Invitation
from accounts.tokens import create_token
from generation import services
from generation.choices import LimitKind
from generation.models import LimitOverride
from tests.factories import finished_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root")


@pytest.fixture
def admin(root: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(root)
    return client


def log(by: User, *rows: Model) -> None:
    LogEntry.objects.log_actions(by.pk, rows, CHANGE, "changed")


def texts() -> list[str]:
    return sorted(LogEntry.objects.values_list("object_repr", flat=True))


def rows_of(user: User, now: datetime) -> list[Model]:
    """A row of every kind that staff can delete in the admin."""
    name = user.username
    create_token(owner=user, name=f"token of {name}", now=now)
    data = {"secret": ""}
    return [
        ApiToken.objects.get(owner=user),
        EmailAddress.objects.create(user=user, email=f"{name}@example.org"),
        Authenticator.objects.create(user=user, type="totp", data=data),
        UserSession.objects.create(
            user=user, session_key=name, ip="192.0.2.1", user_agent=f"browser of {name}", data={}
        ),
        LimitOverride.objects.create(user=user, kind=LimitKind.PICTURES, value=9),
    ]


def address_of(row: Model) -> str:
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/"


def test_entries_that_outlived_their_row_go_with_its_owner(
    admin: Client, alice: User, bob: User, now: datetime
) -> None:
    rows = list(zip(rows_of(alice, now), rows_of(bob, now), strict=True))
    token, override = rows[0][0], rows[-1][0]
    value = {"user": alice.pk, "kind": "pictures", "value": 8}
    admin.post(f"{address_of(override)}{override.pk}/change/", value)
    renamed = {"name": "alice's", "scope": "write", "expires_at_0": "", "expires_at_1": ""}
    admin.post(f"{address_of(token)}{token.pk}/change/", renamed)
    assert LogEntry.objects.filter(action_flag=CHANGE).count() == 2
    for mine, theirs in rows:
        chosen = {"action": "delete_selected", "_selected_action": [mine.pk, theirs.pk]}
        admin.post(address_of(mine), {**chosen, "post": "yes"})
    about_both = texts()
    assert len(about_both) == 12

    services.delete_account(user=alice)

    assert texts() == sorted(str(theirs) for _mine, theirs in rows)
    assert LogEntry.objects.count() == 5


def test_an_entry_shows_no_note(admin: Client, alice: User) -> None:
    value = {"user": alice.pk, "kind": "pictures", "value": 8}
    admin.post("/admin/generation/limitoverride/add/", value)
    override = LimitOverride.objects.get()

    page = admin.get(f"/admin/generation/limitoverride/{override.pk}/history/").text

    assert "Added." in page
    assert "owner" not in page


def test_entries_about_others_with_the_same_text_stay(
    admin: Client, root: User, alice: User, now: datetime
) -> None:
    painters = Group.objects.create(name="painters")
    at_example = Group.objects.create(name="painters@example.org")
    of_group = LimitOverride.objects.create(group=painters, kind=LimitKind.PICTURES, value=9)
    token = create_token(owner=alice, name="painters", now=now)
    assert token
    invitation = Invitation.objects.create(
        email="alice@example.org", digest="d", created=now, expires_at=now
    )
    log(root, painters, at_example, of_group, invitation, ApiToken.objects.get())
    admin.post(f"{address_of(of_group)}{of_group.pk}/delete/", {"post": "yes"})
    before = texts()
    namesake = User.objects.create_user("painters", "alice@example.org")
    # never confirmed, so it proves nothing
    EmailAddress.objects.create(user=namesake, email="alice@example.org")
    EmailAddress.objects.create(user=namesake, email="painters@example.org", verified=True)
    mine = LimitOverride.objects.create(user=namesake, kind=LimitKind.PICTURES, value=9)
    assert str(mine) == str(of_group)
    log(root, namesake, mine)

    services.delete_account(user=namesake)

    assert texts() == before
    assert Invitation.objects.exists()


def test_what_deleted_staff_did_to_others_stays_without_the_name(
    root: User, alice: User, admin: Client
) -> None:
    alice.is_staff = True
    alice.save()
    log(alice, root, alice)

    services.delete_account(user=alice)

    (entry,) = LogEntry.objects.all()
    assert (entry.object_repr, entry.user.get_username()) == ("root", DELETED_ACCOUNT)
    assert not entry.user.is_active
    assert not entry.user.has_usable_password()
    assert DELETED_ACCOUNT in admin.get(f"/admin/auth/user/{root.pk}/history/").text
    assert DELETED_ACCOUNT not in admin.get("/admin/auth/user/").text
    assert admin.get(f"/admin/auth/user/{entry.user.pk}/change/").status_code == 302


def test_two_deleted_accounts_share_one_name(root: User, alice: User, bob: User) -> None:
    for each in (alice, bob):
        log(each, root)
        services.delete_account(user=each)

    with pytest.raises(CommandError, match="keeps the admin's log"):
        call_command("delete_account", DELETED_ACCOUNT, "--yes")
    assert LogEntry.objects.filter(user__username=DELETED_ACCOUNT).count() == 2


def test_the_name_of_deleted_accounts_is_free_to_no_user() -> None:
    form: Any = UserCreationForm({"username": DELETED_ACCOUNT})

    assert "username" in form.errors


def test_the_admin_keeps_the_log_of_those_it_deletes(
    caplog: pytest.LogCaptureFixture, admin: Client, root: User, alice: User, bob: User
) -> None:
    log(alice, root)
    log(bob, root)
    with caplog.at_level(logging.INFO, logger="liujuan.security"):
        admin.post(f"/admin/auth/user/{alice.pk}/delete/", {"post": "yes"})
        chosen = {"action": "delete_selected", "_selected_action": [bob.pk], "post": "yes"}
        admin.post("/admin/auth/user/", chosen)

    assert texts() == ["root", "root"]
    assert not User.objects.filter(username__in=["alice", "bob"]).exists()
    lines = [each.getMessage() for each in caplog.records]
    for name in ("alice", "bob"):
        assert f"account_deleted account={name} address=- by=root" in lines


def test_more_tasks_cause_no_more_queries(
    media: Path, root: User, alice: User, bob: User, now: datetime
) -> None:
    counts = []
    for owner, number in ((alice, 1), (bob, 4)):
        log(root, *(finished_task(owner, now) for _each in range(number)))
        ContentType.objects.clear_cache()
        with CaptureQueriesContext(connection) as captured:
            delete_entries(owner)
        counts.append(len(captured))
        assert not LogEntry.objects.exists()

    assert counts[0] == counts[1]
