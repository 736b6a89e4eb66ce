"""The audit log: who reads and exports it, and which changes it has."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import AsyncClient, Client

from accounts.tokens import create_token
from generation import services
from generation.choices import AuditAction
from generation.models import AuditEntry, GenerationTask, Review, ReviewReason, Worker
from generation.services import retry_by
from tests.factories import failed_task, submit
from tests.reviewing import decide, make_reviewer, picture_of

LIST = "/admin/generation/auditentry/"


def member(name: str, *groups: str) -> User:
    user = User.objects.create_user(name, is_staff=True)
    user.groups.set(Group.objects.filter(name__in=groups))
    return User.objects.get(pk=user.pk)


@pytest.fixture
def anne(db: None) -> User:
    """Staff with permission to read the log, and no other."""
    anne = member("anne")
    anne.user_permissions.add(Permission.objects.get(codename="view_auditentry"))
    return anne


@pytest.fixture
def auditor(client: Client, anne: User) -> Client:
    client.force_login(anne)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def note(actor: User, now: datetime, **more: Any) -> None:
    action = more.pop("action", AuditAction.CANCELLED)
    services.record_action(actor=actor, action=action, now=now, address="::1", **more)


def exported(user: User, kind: str, query: str = "") -> str:
    async def sent() -> str:
        client = AsyncClient()
        await client.aforce_login(user)
        answer: Any = await client.post(f"{LIST}export/{kind}/{query}")
        try:
            return b"".join([part async for part in answer]).decode()
        finally:
            answer.close()

    return async_to_sync(sent)()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("group", "readable"),
    [
        ("reviewer", {"review": True, "auditentry": False, "generationtask": True}),
        ("operator", {"review": False, "auditentry": False, "generationtask": True}),
        ("auditor", {"review": False, "auditentry": True, "generationtask": True}),
    ],
)
def test_each_group_reads_its_own(client: Client, group: str, readable: dict[str, bool]) -> None:
    # tests that committed have deleted the groups
    import_module("generation.migrations.0022_reviews").create_groups(
        apps, connection.schema_editor()
    )
    client.force_login(member("mia", group))

    for model, may in readable.items():
        status = client.get(f"/admin/generation/{model}/").status_code
        assert status == (200 if may else 403), model


def test_nobody_changes_the_log(client: Client, anne: User, now: datetime) -> None:
    note(anne, now)
    entry = AuditEntry.objects.get()
    client.force_login(User.objects.create_superuser("root"))

    assert client.get(f"{LIST}add/").status_code == 403
    for page in ("delete", "change"):
        assert client.post(f"{LIST}{entry.pk}/{page}/", {"actor_name": "x"}).status_code == 403
    assert AuditEntry.objects.get().actor_name == "anne"


def test_entries_are_found(auditor: Client, anne: User, alice: User, now: datetime) -> None:
    task = submit(alice, now)
    note(anne, now, task=task.pk, owner=alice, state="hidden")
    note(alice, now - timedelta(days=400), action=AuditAction.PAUSED)

    for query in (
        f"q={task.pk}",
        "q=anne",
        "action__exact=cancelled",
        f"q=alice&created__year={now.year}",
    ):
        page = auditor.get(f"{LIST}?{query}").content.decode()
        assert "1 audit entry" in page, query
        assert "decision: Hidden" in page


@pytest.mark.django_db(transaction=True)
def test_an_export_is_complete_safe_and_audited(anne: User, now: datetime) -> None:
    evil = User.objects.create_user("=cmd()")
    for number in range(502):
        note(evil if number else anne, now - timedelta(seconds=number), number=number)

    text = exported(anne, "csv", "?action__exact=cancelled")

    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [json.loads(row["details"])["number"] for row in rows] == list(range(502))
    assert rows[0]["actor_name"] == "anne"
    assert {row["actor_name"] for row in rows[1:]} == {"'=cmd()"}
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.actor) == (AuditAction.AUDIT_EXPORTED, anne)
    assert entry.details == {"kind": "csv", "filters": {"action__exact": "cancelled"}}

    entries = json.loads(exported(anne, "json"))["entries"]
    # it has the entry about itself
    assert len(entries) == 504
    assert entries[0]["action"] == "audit_exported"


@pytest.mark.django_db(transaction=True)
def test_an_export_that_ends_early_says_where_to_continue(anne: User, now: datetime) -> None:
    for number in range(5):
        note(anne, now - timedelta(seconds=number // 2), number=number)
    query = "?action__exact=cancelled&limit=2"

    first = list(csv.DictReader(io.StringIO(exported(anne, "csv", query).removeprefix("\ufeff"))))
    assert len(first) == 3
    assert first[2]["id"] == f"more entries follow: after={first[1]['id']}"

    numbers: list[int] = []
    after = ""
    while after != "None":
        page = json.loads(exported(anne, "json", f"{query}&after={after}"))
        numbers += [entry["details"]["number"] for entry in page["entries"]]
        after = str(page["after"])
    assert sorted(numbers) == list(range(5))
    assert page["after"] is None
    assert json.loads(exported(anne, "json", "?limit=1&after=x" + "9" * 30))["after"]


def test_who_may_not_export(client: Client, rita: User, auditor: Client, anne: User) -> None:
    assert auditor.get(f"{LIST}export/csv/").status_code == 405
    assert auditor.post(f"{LIST}export/xml/").status_code == 404
    assert auditor.post(f"{LIST}export/csv/?nothing=1").status_code == 302
    client.force_login(rita)
    assert client.post(f"{LIST}export/csv/").status_code == 403
    assert not AuditEntry.objects.exists()


@pytest.mark.usefixtures("model")
def test_changes_of_another_users_task_are_in_the_log(
    alice: User, rita: User, worker: Worker, now: datetime
) -> None:
    failed = failed_task(alice, worker, now)
    waiting = submit(alice, now)

    for user in (alice, rita):
        services.cancel_by(user, task=waiting, now=now, address="::1")
        retry_by(user, task=failed, key=None, now=now, address="::1")
        # the retry that is unfinished is given again
        retry_by(user, task=failed, key=None, now=now, address="::1")

    entries = AuditEntry.objects.order_by("pk").values_list("actor_name", "action", "task")
    assert list(entries) == [("rita", "cancelled", waiting.pk)]


@pytest.mark.django_db(transaction=True)
def test_a_cancel_over_the_api_is_in_the_log(rita: User, alice: User, now: datetime) -> None:
    rita.user_permissions.add(Permission.objects.get(codename="change_generationtask"))
    task, token = submit(alice, now), create_token(owner=rita, name="", now=now)

    answer: Any = async_to_sync(AsyncClient().post)(
        f"/api/v1/tasks/{task.pk}/cancel", headers={"authorization": f"Bearer {token}"}
    )

    assert answer.json() == {"answer": "cancelled"}
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.owner_name, entry.address) == ("cancelled", "alice", "127.0.0.1")
    assert GenerationTask.objects.get().status == "cancelled"


@pytest.mark.usefixtures("media")
def test_reviewers_read_the_history_and_change_nothing(
    client: Client, alice: User, now: datetime
) -> None:
    renu = make_reviewer("renu")
    review = decide(renu, picture_of(alice, now), "hidden", now, note="see §2")
    client.force_login(renu)

    page = client.get("/admin/generation/review/").content.decode()

    assert "see §2" in page
    assert f"/admin/review/{review.image_id}/thumbnail/" in page
    address = f"/admin/generation/review/{review.pk}"
    assert client.get(f"{address}/change/").status_code == 200
    assert client.post(f"{address}/change/", {"note": "x"}).status_code == 403
    assert client.post(f"{address}/delete/", {"post": "yes"}).status_code == 403
    assert Review.objects.get().note == "see §2"


def test_presets_are_changed_with_djangos_permission(client: Client, db: None) -> None:
    renu = make_reviewer("renu")
    address = f"/admin/generation/reviewreason/{ReviewReason.objects.all()[0].pk}/change/"
    client.force_login(renu)
    assert client.get(address).status_code == 403

    renu.user_permissions.add(Permission.objects.get(codename="change_reviewreason"))
    client.post(address, {"english": "New", "chinese": "新", "position": "1", "enabled": "on"})

    assert ReviewReason.objects.filter(english="New", chinese="新").exists()
