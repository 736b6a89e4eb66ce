"""A deletion that a user asked for: a day to take it back, then nothing of the account is left."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from asgiref.sync import sync_to_async
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from accounts import invitations
from accounts.admin_log import paths_to_owned
from accounts.models import AccountDeletion, ApiToken, Invitation
from accounts.tokens import create_token, valid_token
from generation import services
from generation.choices import LimitKind
from generation.exceptions import AccountLeaving, LastSuperuser, NotFound
from generation.models import GenerationTask, LimitOverride, WebhookEndpoint
from generation.services import DELETION_DELAY, Claim
from generation.worker.cleanup import clean_up
from tests.concurrency import at_once
from tests.factories import files_in, finished_task, settle, submit

pytestmark = pytest.mark.django_db(transaction=True)


def test_everything_stops_at_once_and_can_be_taken_back(
    claim: Claim, alice: User, now: datetime
) -> None:
    waiting = submit(alice, now)
    token = create_token(owner=alice, name="", now=now)
    due = services.request_deletion(user=alice, now=now)

    assert due == now + DELETION_DELAY
    assert services.request_deletion(user=alice, now=now + timedelta(hours=1)) == due
    with pytest.raises(AccountLeaving):
        submit(alice, now)
    assert valid_token(token=token, now=now, address="x") is None
    waiting.refresh_from_db()
    claim.task.refresh_from_db()
    assert waiting.status == "cancelled"
    assert claim.task.cancel_requested_at is not None

    assert services.keep_account(user=alice)
    assert not services.keep_account(user=alice)
    assert submit(alice, now).status == "queued"
    assert valid_token(token=token, now=now, address="x") is not None


def test_of_two_superusers_at_once_one_stays(now: datetime) -> None:
    both = [User.objects.create_superuser(name) for name in ("root", "toor")]

    def leave(number: int) -> bool:
        try:
            services.request_deletion(user=both[number], now=now)
        except LastSuperuser:
            return False
        return True

    assert sorted(at_once(partial(leave, 0), partial(leave, 1))) == [False, True]


def test_the_last_superuser_stays(now: datetime) -> None:
    root, toor = [User.objects.create_superuser(name) for name in ("root", "toor")]

    services.request_deletion(user=root, now=now)

    with pytest.raises(LastSuperuser):
        services.request_deletion(user=toor, now=now)


def test_no_task_slips_past_the_deletion(alice: User, now: datetime) -> None:
    def act(number: int) -> bool:
        if number == 0:
            return bool(services.request_deletion(user=alice, now=now))
        try:
            submit(alice, now)
        except AccountLeaving:
            return False
        return True

    results = at_once(*(partial(act, number) for number in range(4)))

    assert results[0]
    assert GenerationTask.objects.filter(owner=alice).count() == sum(results[1:])
    assert not GenerationTask.objects.unfinished().exists()


class TestDue:
    """What the worker's cleanup does, and what is left of the account."""

    @pytest.fixture
    def marked(self, media: Path, now: datetime) -> User:
        """An account with rows in every table that can refer to it, all of which say `marked`."""
        user = User.objects.create_user("marked-one", "marked@example.org")
        task = finished_task(user, now, prompt="a marked prompt", pictures=2)
        finished_task(user, now, prompt="marked for the trash")
        services.move_to_trash(owner=user, pictures=[(task.pk, 1)], tasks=[], now=now)
        services.create_link(task=task, now=now)
        create_token(owner=user, name="marked token", now=now)
        EmailAddress.objects.create(user=user, email="marked@example.org", verified=True)
        Authenticator.objects.create(user=user, type="totp", data={"secret": "marked"})
        LimitOverride.objects.create(user=user, kind=LimitKind.PICTURES, value=9)
        WebhookEndpoint.objects.create(
            owner=user, url="https://marked.example/", secret="", created=now
        )
        invitation = Invitation(email="marked@example.org", created=now, expires_at=now)
        invitations.new_token(invitation)
        invitation.used_at, invitation.used_by = now, user
        invitation.save()
        browser = Client(headers={"User-Agent": "marked browser"})
        browser.force_login(user)
        browser.get("/accounts/sessions/")
        root = User.objects.create_superuser("root")
        rows: list[Any] = [user, invitation]
        for model, path in paths_to_owned(User):
            rows += model._default_manager.filter(**{path: user.pk}).distinct()
        LogEntry.objects.log_actions(root.pk, rows, CHANGE, "about marked")
        LogEntry.objects.log_actions(user.pk, [root], CHANGE, "changed by it")
        return user

    async def test_nothing_is_left(
        self, marked: User, media: Path, bob: User, now: datetime
    ) -> None:
        theirs = await sync_to_async(finished_task)(bob, now)
        request = sync_to_async(services.request_deletion)
        assert len([text for text in await every_row() if "marked" in text]) > 9
        await request(user=marked, now=now)
        await clean_up(uuid.uuid4())
        assert await User.objects.filter(pk=marked.pk).aexists()

        await AccountDeletion.objects.aupdate(due_at=now)
        await clean_up(uuid.uuid4())

        assert [text for text in await every_row() if "marked" in text] == []
        assert await sync_to_async(references_to)(marked.pk) == []
        (kept,) = [entry async for entry in LogEntry.objects.all()]
        assert kept.change_message == "changed by it"
        assert {Path(name).parent.name for name in files_in(media)} == {str(theirs.pk)}

    def test_a_running_task_is_ended_first(self, claim: Claim, alice: User, now: datetime) -> None:
        services.request_deletion(user=alice, now=now)
        later = now + DELETION_DELAY

        assert services.close_due_accounts(now=later) == [alice]
        assert services.delete_account(user=alice) == 0
        # too late, also for a page that was open
        assert not services.keep_account(user=alice)
        assert not ApiToken.objects.filter(owner=alice).exists()

        settle(claim, later)
        assert services.close_due_accounts(now=later) == [alice]
        while services.delete_account(user=alice):
            pass
        assert not User.objects.filter(pk=alice.pk).exists()
        with pytest.raises(NotFound):
            submit(alice, later)

    def test_two_workers_may_do_it_at_once(self, media: Path, alice: User, now: datetime) -> None:
        for _each in range(3):
            finished_task(alice, now)
        services.request_deletion(user=alice, now=now - DELETION_DELAY)

        def work() -> None:
            for user in services.close_due_accounts(now=now):
                while services.delete_account(user=user):
                    pass

        at_once(work, work)
        for user in services.close_due_accounts(now=now):
            services.delete_account(user=user)
        assert not User.objects.filter(username="alice").exists()
        assert files_in(media) == set()


@sync_to_async
def every_row() -> list[str]:
    """Every row of every table as text, and the content of every session."""
    rows: list[str] = []
    with connection.cursor() as cursor:
        # an index of words without the words cannot be read; it has the rows of the others
        tables = set(connection.introspection.table_names(cursor)) - {"generation_searchtext"}
        for table in sorted(tables):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows += [f"{table}: {row}" for row in cursor.fetchall()]
    return rows + [str(session.get_decoded()) for session in Session.objects.all()]


def references_to(user_id: int) -> list[str]:
    """Tables and sessions that refer to this user."""
    found = [str(session) for session in Session.objects.all() if owner_of(session) == str(user_id)]
    for name, model in foreign_keys():
        if apps.get_model(model).objects.filter(**{name: user_id}).exists():
            found.append(f"{model}.{name}")
    return found


def owner_of(session: Session) -> str:
    return str(session.get_decoded().get(SESSION_KEY))


def foreign_keys() -> Iterator[tuple[str, str]]:
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.get_fields():
            if field.concrete and field.related_model is User and not field.many_to_many:
                yield field.name, model._meta.label
