"""Staff read everything, change nothing by hand, and act only through services."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from generation import services
from generation.models import ApiToken, GenerationTask, ShareLink, Worker
from tests.services.drawn import drawn
from tests.services.test_submitting import failed_task, submit

pytestmark = pytest.mark.django_db
LIST = "/admin/generation/generationtask/"


@pytest.fixture
def staff(rita: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(rita)
    return client


@pytest.fixture
def operator(rita: User) -> Client:
    rita.user_permissions.add(Permission.objects.get(codename="change_generationtask"))
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.get(pk=rita.pk))
    return client


def test_staff_find_a_task_by_prompt_owner_and_status(
    alice: User, bob: User, staff: Client, now: datetime
) -> None:
    submit(alice, now, prompt="willow by the lake")
    submit(bob, now, prompt="red umbrella")

    assert "willow" in staff.get(LIST, {"q": "lake"}).text
    assert "umbrella" not in staff.get(LIST, {"q": "lake"}).text
    assert "umbrella" in staff.get(LIST, {"q": "bob"}).text
    assert "0 generation tasks" in staff.get(LIST, {"status__exact": "failed"}).text


def test_staff_see_and_find_what_its_owner_deleted(
    alice: User, staff: Client, now: datetime
) -> None:
    binned, kept = submit(alice, now, prompt="willow"), submit(alice, now, prompt="umbrella")
    services.request_cancel(task_id=binned.pk, now=now)
    services.put_into_bin(owner=alice, pictures=[], tasks=[binned.pk], now=now)

    assert "willow" in staff.get(LIST).text
    found = staff.get(LIST, {"deleted_at__isempty": "0"}).text
    assert "willow" in found
    assert kept.prompt not in found
    assert staff.get(f"{LIST}{binned.pk}/change/").status_code == 200


def test_a_share_link_can_be_ended_but_not_read_off(alice: User, now: datetime) -> None:
    task = drawn(alice, now)
    token, _ends = services.create_link(task=task, now=now)
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.create_superuser("root"))
    page = "/admin/generation/sharelink/"

    link = ShareLink.objects.get()
    assert link.token_hash not in client.get(page).text
    assert link.token_hash not in client.get(f"{page}{link.pk}/change/").text
    client.post(f"{page}{link.pk}/delete/", {"post": "yes"})

    assert Client().get(f"/shared/{token}/").status_code == 404


def test_links_are_for_who_may_see_tasks_and_are_ended_one_by_one(
    alice: User, rita: User, now: datetime
) -> None:
    task = drawn(alice, now, prompt="willow")
    tokens = [services.create_link(task=task, now=now)[0] for _each in range(3)]
    page, link = "/admin/generation/sharelink/", ShareLink.objects.earliest("pk")
    of_links = Permission.objects.filter(content_type__model="sharelink")
    clerk = User.objects.create_user("clerk", is_staff=True)
    for person in (clerk, rita):
        person.user_permissions.add(*of_links)
    outsider, staff = (
        Client(headers={"accept-language": "en"}),
        Client(headers={"accept-language": "en"}),
    )
    outsider.force_login(User.objects.get(pk=clerk.pk))
    staff.force_login(User.objects.get(pk=rita.pk))

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

    html = staff.get(f"{LIST}{task.pk}/change/").text

    for label in ("Submitted and stored", "Cancellation requested", "Cancelled"):
        assert label in html


def test_nothing_can_be_changed_by_hand(alice: User, operator: Client, now: datetime) -> None:
    task = submit(alice, now)

    assert operator.get(f"{LIST}add/").status_code == 403
    assert operator.post(f"{LIST}{task.pk}/change/", {"status": "completed"}).status_code == 403
    assert operator.post(f"{LIST}{task.pk}/delete/", {"post": "yes"}).status_code == 403


def test_an_operator_cancels_and_retries_through_the_services(
    alice: User, operator: Client, model: str, worker: Worker, now: datetime
) -> None:
    failed = failed_task(alice, worker, now)
    waiting = submit(alice, now)

    def act(action: str, task: GenerationTask) -> str:
        data = {"action": action, "_selected_action": str(task.pk)}
        return operator.post(LIST, data, follow=True).text

    assert "Cancellation of 1 task was requested." in act("cancel_tasks", waiting)
    assert "1 task was sent again." in act("retry_tasks", failed)
    assert "1 task was not in a state that allows this." in act("cancel_tasks", failed)
    waiting.refresh_from_db()
    assert waiting.status == "cancelled"
    assert failed.retries.get().owner == alice


def test_who_may_only_look_is_offered_no_actions(alice: User, staff: Client, now: datetime) -> None:
    task = submit(alice, now)

    data = {"action": "cancel_tasks", "_selected_action": str(task.pk)}
    staff.post(LIST, data)

    task.refresh_from_db()
    assert task.status == "queued"
    assert "cancel_tasks" not in staff.get(LIST).text


def test_somebody_without_the_permission_sees_no_tasks(bob: User) -> None:
    bob.is_staff = True
    bob.save()
    client = Client()
    client.force_login(bob)

    assert client.get(LIST).status_code == 403


def test_a_token_is_shown_without_its_secret(alice: User, now: datetime) -> None:
    token = services.create_token(owner=alice, name="script", now=now)
    root = User.objects.create_superuser("root")
    client = Client()
    client.force_login(root)

    html = client.get("/admin/generation/apitoken/").text

    assert "script" in html
    assert token not in html
    assert ApiToken.objects.get().digest not in html


def test_the_machinery_can_be_read(model: str, worker: Worker) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))

    for name in ("worker", "modelstate", "modelslot"):
        assert client.get(f"/admin/generation/{name}/").status_code == 200
