"""Limits of users and groups in the admin."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from generation import selectors
from generation.choices import LimitKind
from generation.models import LimitOverride, Worker
from tests.factories import failed_task
from tests.pages.page_clients import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("model")]

ADD = "/admin/generation/limitoverride/add/"


@pytest.fixture
def root(db: None) -> Client:
    return signed_in(User.objects.create_superuser("root"), "en")


def test_staff_set_limits_of_users_and_groups(root: Client, alice: User, now: datetime) -> None:
    group = Group.objects.create(name="painters")
    alice.groups.add(group)

    both = {"user": alice.pk, "group": group.pk, "kind": "pictures", "value": 3}
    page = root.post(ADD, both)
    assert "Choose a user or a group, not both." in page.text
    assert not LimitOverride.objects.exists()

    assert root.post(ADD, {"group": group.pk, "kind": "pictures", "value": 20}).status_code == 302
    assert root.post(ADD, {"user": alice.pk, "kind": "effort", "value": ""}).status_code == 302
    twice = root.post(ADD, {"user": alice.pk, "kind": "effort", "value": 1})
    assert twice.status_code == 200

    allowances = selectors.allowances_of([alice.pk], now=now)[alice.pk]
    assert allowances[LimitKind.PICTURES].limit == 20
    assert LimitKind.EFFORT not in allowances
    listed = root.get("/admin/generation/limitoverride/")
    assert "painters" in listed.text
    assert "pictures per day" in listed.text


def test_staff_learn_that_a_retry_passes_a_limit_of_its_owner(
    root: Client, alice: User, worker: Worker, now: datetime
) -> None:
    task = failed_task(alice, worker, now)
    LimitOverride.objects.create(user=alice, kind=LimitKind.PICTURES, value=0)

    data = {"action": "retry_tasks", "_selected_action": str(task.pk)}
    page = root.post("/admin/generation/generationtask/", data, follow=True)

    assert "1 task was skipped: its owner has reached a limit." in page.text
    assert not task.retries.exists()
