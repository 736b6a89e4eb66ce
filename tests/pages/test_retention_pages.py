"""Retention: its rules and report in the admin, and what users see of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from pytest_django import Settings

from generation import services
from generation.choices import AuditAction, RetentionKind
from generation.models import AuditEntry, GenerationTask, PruneRun, RetentionRule, Worker
from tests.factories import failed_task, finished_task
from tests.pages.page_clients import signed_in
from tests.services.old_tasks import AGE, drawn_task, prune_all

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("model")]

RULES, RUNS = "/admin/generation/retentionrule/", "/admin/generation/prunerun/"


@pytest.fixture
def root(db: None) -> Client:
    return signed_in(User.objects.create_superuser("root"), "en")


def test_changed_rules_are_in_the_audit_log(root: Client, alice: User) -> None:
    group = Group.objects.create(name="painters")
    both = {"user": alice.pk, "group": group.pk, "kind": "logs", "days": 3}
    assert "Choose a user or a group, not both." in root.post(f"{RULES}add/", both).text
    never = {"user": alice.pk, "kind": "logs", "days": 0}
    assert root.post(f"{RULES}add/", never).status_code == 200
    assert not RetentionRule.objects.exists()

    root.post(f"{RULES}add/", {"group": group.pk, "kind": "prompts", "days": 90})
    rule = RetentionRule.objects.get()
    root.post(f"{RULES}{rule.pk}/change/", {"group": group.pk, "kind": "prompts", "days": ""})
    root.post(RULES, {"action": "delete_selected", "_selected_action": rule.pk, "post": "yes"})

    entries = AuditEntry.objects.order_by("pk")
    assert {each.action for each in entries} == {AuditAction.RETENTION_CHANGED}
    assert {(each.actor_name, each.details["group"]) for each in entries} == {("root", "painters")}
    days = [(each.details["before"], each.details.get("days")) for each in entries]
    assert days == [(None, 90), (90, None), (None, None)]
    assert entries[2].details["deleted"] is True


def test_operators_see_what_the_next_run_deletes(
    alice: User, media: Path, now: datetime, settings: Settings
) -> None:
    settings.RETENTION_PICTURES = 30
    finished_task(alice, now - AGE, pictures=2)
    PruneRun.objects.create(day=now.date(), started_at=now, finished_at=now, prompts=1234)
    person = User.objects.create_user("olga", is_staff=True)
    assert signed_in(person, "en").get(RUNS).status_code == 403
    person.user_permissions.add(Permission.objects.get(codename="change_installation"))
    operator = signed_in(User.objects.get(pk=person.pk), "en")

    page = operator.get(RUNS)

    assert page.status_code == 200
    (line,) = [each for each in page.context["report"].lines if each.kind == "pictures"]
    assert (line.days, line.pictures, line.users) == (30, 2, 2)
    assert (now - AGE).strftime("%Y-%m-%d") in page.text
    assert "1234" in page.text
    assert RULES not in page.text
    assert GenerationTask.objects.get().images.filter(deleted_at=None).count() == 2
    run = PruneRun.objects.get()
    assert operator.post(f"{RUNS}{run.pk}/delete/", {"post": "yes"}).status_code == 403


def test_users_see_how_long_their_data_is_kept(alice: User) -> None:
    RetentionRule.objects.create(user=alice, kind=RetentionKind.PROMPTS, days=90)

    page = signed_in(alice, "en").get("/accounts/data/").text

    assert "How long it is kept" in page
    assert "90 days" in page
    assert page.count("for ever") == 3


def test_the_trash_says_how_long_it_keeps(alice: User, media: Path, now: datetime) -> None:
    RetentionRule.objects.create(user=alice, kind=RetentionKind.TRASH, days=30)
    RetentionRule.objects.create(user=alice, kind=RetentionKind.PICTURES, days=10)
    task = finished_task(alice, now)
    services.move_to_trash(owner=alice, pictures=[], tasks=[task.pk], now=now)

    page = signed_in(alice, "en").get("/trash/").text

    assert "stays here for 30 days" in page
    assert "Pictures that are 10 days old come here too, except favourites." in page
    assert "30 days left" in page


def test_pages_say_that_the_prompt_was_removed(
    alice: User, media: Path, worker: Worker, now: datetime, settings: Settings
) -> None:
    settings.RETENTION_PROMPTS = 30
    task = drawn_task(alice, worker, now - AGE)
    failed = failed_task(alice, worker, now - AGE)
    token, _expires = services.create_link(task=task, now=now)
    prune_all(now)
    client = signed_in(alice, "en")

    for path in ("/", "/gallery/", f"/tasks/{task.pk}/", f"/shared/{token}/"):
        assert "Prompt removed" in client.get(path).text, path
    page = client.get(f"/tasks/{failed.pk}/").context["cards"][0]
    assert not page["view"]().can_retry


def test_the_task_page_says_that_its_log_was_shortened(
    alice: User, media: Path, worker: Worker, now: datetime, settings: Settings
) -> None:
    settings.RETENTION_LOGS = 30
    task = drawn_task(alice, worker, now - AGE)
    client = signed_in(alice, "en")
    assert "This log was shortened" not in client.get(f"/tasks/{task.pk}/").text

    prune_all(now)

    page = client.get(f"/tasks/{task.pk}/").text
    assert "This log was shortened" in page
    assert "none missing" not in page
