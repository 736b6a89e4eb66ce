"""The staff's page of one task: its time, related tasks, and actions that are audited."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation import services
from generation.models import AuditEntry, GenerationTask, Worker
from tests.factories import claim_one, failed_task, finished_task, submit
from tests.pages.page_clients import ADMIN_TASKS

pytestmark = pytest.mark.django_db


def page_of(client: Client, task: GenerationTask) -> str:
    answer = client.get(f"{ADMIN_TASKS}{task.pk}/change/")
    assert answer.status_code == 200
    return answer.text


def act(client: Client, task: GenerationTask, name: str) -> int:
    return client.post(f"{ADMIN_TASKS}{task.pk}/act/{name}/").status_code


def test_the_page_shows_where_the_time_went(
    alice: User, staff: Client, model: str, worker: Worker, now: datetime
) -> None:
    failed = failed_task(alice, worker, now)
    submit(alice, now)
    running = claim_one(worker, now).task

    html = page_of(staff, running)

    assert 'class="timeline__row"' in html
    assert "data-goes-on" in html
    assert f"{worker}" in html
    assert "data-goes-on" not in page_of(staff, failed)
    newest = staff.get(f"{ADMIN_TASKS}{running.pk}/newest/").json()
    assert newest == {"seq": running.events.count(), "over": False}
    assert staff.get(f"{ADMIN_TASKS}{failed.pk}/newest/").json()["over"] is True


def test_actions_fit_the_status_and_are_audited(
    alice: User, operator: Client, rita: User, model: str, worker: Worker, now: datetime
) -> None:
    failed = failed_task(alice, worker, now)
    submit(alice, now)
    running = claim_one(worker, now).task
    waiting = submit(alice, now)
    done = finished_task(alice, now)

    offered = {
        task: [
            n for n in ("cancel", "hand-back", "retry") if f'/act/{n}/"' in page_of(operator, task)
        ]
        for task in (failed, running, waiting, done)
    }
    assert offered == {
        failed: ["retry"],
        running: ["cancel", "hand-back"],
        waiting: ["cancel"],
        done: [],
    }
    for task, name in ((failed, "retry"), (running, "hand-back"), (waiting, "cancel")):
        assert act(operator, task, name) == 302
    # a second time their status does not allow it
    assert act(operator, running, "hand-back") == act(operator, done, "retry") == 302

    running.refresh_from_db()
    waiting.refresh_from_db()
    assert (running.status, waiting.status) == ("queued", "cancelled")
    assert failed.retries.count() == 1
    entries = AuditEntry.objects.order_by("pk").values_list(
        "action", "task", "owner_name", "actor_name", "address"
    )
    assert list(entries) == [
        (action, task.pk, "alice", "rita", "127.0.0.1")
        for action, task in (("retried", failed), ("handed_back", running), ("cancelled", waiting))
    ]
    assert operator.get(f"{ADMIN_TASKS}{running.pk}/act/cancel/").status_code == 405
    assert act(operator, running, "delete") == 404


def test_viewers_get_no_actions_of_the_page(alice: User, staff: Client, now: datetime) -> None:
    task = submit(alice, now)

    assert "/act/" not in page_of(staff, task)
    assert act(staff, task, "cancel") == 403
    task.refresh_from_db()
    assert task.cancel_requested_at is None
    assert not AuditEntry.objects.exists()


def test_the_page_links_related_tasks(alice: User, bob: User, staff: Client, now: datetime) -> None:
    task = submit(alice, now, prompt="a willow")
    before, after, other = (
        submit(owner, now + timedelta(minutes=minutes), prompt=prompt)
        for owner, minutes, prompt in ((alice, -5, "b"), (alice, 5, "c"), (bob, 60, "a willow"))
    )
    longer = submit(bob, now, prompt="a willow by the lake")
    services.request_cancel(task_id=after.pk, now=now)

    html = page_of(staff, task)

    for related in (before, after, other):
        assert html.count(f'href="{ADMIN_TASKS}{related.pk}/change/"') == 1
    assert f'href="{ADMIN_TASKS}{longer.pk}/change/"' not in html
