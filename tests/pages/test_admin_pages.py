"""Staff read everything, edit nothing directly, and act only through services."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from accounts.models import ApiToken
from accounts.tokens import create_token
from generation import services
from generation.choices import InterruptReason
from generation.models import GenerationTask, ShareLink, Worker
from tests.factories import claim_one, failed_task, finished_task, interrupt, submit
from tests.pages.page_clients import ADMIN_TASKS, signed_in

pytestmark = pytest.mark.django_db


def test_a_share_link_can_be_ended_but_not_read(alice: User, root: Client, now: datetime) -> None:
    task = finished_task(alice, now)
    token, _ends = services.create_link(task=task, now=now)
    page = "/admin/generation/sharelink/"

    link = ShareLink.objects.get()
    assert link.token_hash not in root.get(page).text
    assert link.token_hash not in root.get(f"{page}{link.pk}/change/").text
    root.post(f"{page}{link.pk}/delete/", {"post": "yes"})

    assert Client().get(f"/shared/{token}/").status_code == 404


def test_share_links_need_task_permission_to_end(alice: User, rita: User, now: datetime) -> None:
    task = finished_task(alice, now, prompt="willow")
    tokens = [services.create_link(task=task, now=now)[0] for _each in range(3)]
    page, link = "/admin/generation/sharelink/", ShareLink.objects.earliest("pk")
    of_links = Permission.objects.filter(content_type__model="sharelink")
    clerk = User.objects.create_user("clerk", is_staff=True)
    for person in (clerk, rita):
        person.user_permissions.add(*of_links)
    outsider, staff = (signed_in(User.objects.get(pk=each.pk), "en") for each in (clerk, rita))

    for path in (page, f"{page}{link.pk}/change/", f"{page}{link.pk}/delete/"):
        assert outsider.get(path).status_code == 403
    assert "willow" in staff.get(page).text
    form = staff.get(f"{page}{link.pk}/change/").text
    assert "willow" in form
    assert 'name="_save"' not in form
    staff.post(f"{page}{link.pk}/delete/", {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [str(link.pk + 1)], "post": "yes"}
    staff.post(page, chosen)

    works = [Client().get(f"/shared/{token}/").status_code for token in tokens]
    assert works == [404, 404, 200]


def test_the_event_log_stands_in_the_task(alice: User, staff: Client, now: datetime) -> None:
    task = submit(alice, now)
    services.request_cancel(task_id=task.pk, now=now)

    html = staff.get(f"{ADMIN_TASKS}{task.pk}/change/").text

    for label in ("Submitted and stored", "Cancellation requested", "Cancelled"):
        assert label in html


def test_nothing_can_be_changed_by_hand(alice: User, operator: Client, now: datetime) -> None:
    task = submit(alice, now)

    assert operator.get(f"{ADMIN_TASKS}add/").status_code == 403
    assert (
        operator.post(f"{ADMIN_TASKS}{task.pk}/change/", {"status": "completed"}).status_code == 403
    )
    assert operator.post(f"{ADMIN_TASKS}{task.pk}/delete/", {"post": "yes"}).status_code == 403


def test_an_operator_cancels_and_retries_through_the_services(
    alice: User, operator: Client, model: str, worker: Worker, now: datetime
) -> None:
    failed = failed_task(alice, worker, now)
    waiting = submit(alice, now)

    def act(action: str, task: GenerationTask) -> str:
        data = {"action": action, "_selected_action": str(task.pk)}
        return operator.post(ADMIN_TASKS, data, follow=True).text

    assert "Cancellation of 1 task was requested." in act("cancel_tasks", waiting)
    assert "1 task was submitted again." in act("retry_tasks", failed)
    assert "1 task was skipped: its status does not allow this." in act("cancel_tasks", failed)
    waiting.refresh_from_db()
    assert waiting.status == "cancelled"
    assert failed.retries.get().owner == alice


def test_viewers_get_no_actions(alice: User, staff: Client, now: datetime) -> None:
    task = submit(alice, now)

    data = {"action": "cancel_tasks", "_selected_action": str(task.pk)}
    staff.post(ADMIN_TASKS, data)

    task.refresh_from_db()
    assert task.status == "queued"
    assert "cancel_tasks" not in staff.get(ADMIN_TASKS).text


def test_without_the_permission_no_task_is_shown(bob: User) -> None:
    bob.is_staff = True
    bob.save()

    assert signed_in(bob).get(ADMIN_TASKS).status_code == 403


def test_a_token_is_shown_without_its_secret(alice: User, root: Client, now: datetime) -> None:
    token = create_token(owner=alice, name="script", now=now)

    html = root.get("/admin/generation/apitoken/").text

    assert "script" in html
    assert token not in html
    assert ApiToken.objects.get().digest not in html


def test_workers_models_and_slots_are_shown(root: Client, model: str, worker: Worker) -> None:
    for name in ("worker", "modelstate", "modelslot"):
        assert root.get(f"/admin/generation/{name}/").status_code == 200


@pytest.mark.parametrize(
    ("page", "states"),
    [
        ("incident/", {"goes on": "closed_at__isempty=1", "is over": "closed_at__isempty=0"}),
        (
            "webhookendpoint/",
            {"works": "failing_since__isempty=1", "fails": "failing_since__isempty=0"},
        ),
    ],
)
def test_states_are_chosen_by_words(root: Client, page: str, states: dict[str, str]) -> None:
    text = root.get(f"/admin/generation/{page}").text

    assert "By state" in text
    for word, query in states.items():
        assert re.search(rf'<a href="\?{query}"[^>]*>\s*{word}\s*</a>', text)
        assert root.get(f"/admin/generation/{page}?{query}").status_code == 200


def test_users_with_tasks_need_a_command(alice: User, root: Client, now: datetime) -> None:
    finished_task(alice, now, pictures=0)
    unused = User.objects.create_user("unused")

    asked = root.get(f"/admin/auth/user/{alice.pk}/delete/")
    root.post(f"/admin/auth/user/{alice.pk}/delete/", {"post": "yes"})
    root.post(f"/admin/auth/user/{unused.pk}/delete/", {"post": "yes"})

    assert "manage.py delete_account alice" in asked.text
    assert set(User.objects.values_list("username", flat=True)) == {"alice", "root"}


def test_a_task_page_has_pictures_and_links(alice: User, staff: Client, now: datetime) -> None:
    task = finished_task(alice, now, prompt="willow", pictures=2)
    child = submit(alice, now, prompt="willow in snow", parent=str(task.pk))
    services.move_to_trash(owner=alice, pictures=[(task.pk, 2)], tasks=[], now=now)

    page = staff.get(f"{ADMIN_TASKS}{task.pk}/change/").text
    of_child = staff.get(f"{ADMIN_TASKS}{child.pk}/change/").text

    for index in (1, 2):
        picture = f"/pictures/{task.pk}/{index}/"
        assert f'href="{picture}"' in page
        assert f'<img src="{picture}thumbnail/" alt="picture {index}"' in page
        assert staff.get(f"{picture}thumbnail/").status_code == 200
    assert f'href="/tasks/{task.pk}/"' in page
    assert f'href="{ADMIN_TASKS}?q=alice"' in page
    assert f'href="{ADMIN_TASKS}{child.pk}/change/"' in page
    assert f'href="{ADMIN_TASKS}{task.pk}/change/"' in of_child
    assert f'href="{ADMIN_TASKS}?q=alice"' in staff.get(ADMIN_TASKS).text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["The model failed while drawing", "The worker stopped responding"]),
        ("zh-hans", ["模型在作画时出错", "执行机失联"]),
    ],
)
def test_codes_are_shown_as_sentences(
    alice: User,
    rita: User,
    worker: Worker,
    model: str,
    now: datetime,
    language: str,
    words: list[str],
) -> None:
    submit(alice, now)
    interrupt(claim_one(worker, now), InterruptReason.LEASE_EXPIRED, now)
    failed = finished_task(alice, now, pictures=0, status="failed")
    (interrupted,) = GenerationTask.objects.filter(status="queued")
    client = signed_in(rita, language)

    pages = [
        client.get(ADMIN_TASKS).text,
        client.get(f"{ADMIN_TASKS}{failed.pk}/change/").text,
        client.get(f"{ADMIN_TASKS}{interrupted.pk}/change/").text,
    ]

    assert words[0] in pages[0]
    assert words[0] in pages[1]
    assert words[1] in pages[2]
    for page in pages:
        shown = re.sub(r"<[^>]*>", " ", page)
        assert not re.search(r"\b(model_error|lease_expired|out_of_memory|step_began)\b", shown)
