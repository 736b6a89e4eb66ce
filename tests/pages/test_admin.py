"""Staff read everything, edit nothing directly, and act only through services."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import ApiToken
from accounts.tokens import create_token
from generation import services
from generation.admin.changelist import MAX_SCANNED_TASKS
from generation.choices import InterruptReason, TaskStatus
from generation.models import GenerationTask, ShareLink, Worker
from tests.factories import claim_one, failed_task, finished_task, interrupt, submit
from tests.pages.clients import signed_in
from tests.query_plans import analyze, plan_of
from tests.rows import copy_task

pytestmark = pytest.mark.django_db
LIST = "/admin/generation/generationtask/"


@pytest.fixture
def staff(rita: User) -> Client:
    return signed_in(rita, "en")


@pytest.fixture
def operator(rita: User) -> Client:
    rita.user_permissions.add(Permission.objects.get(codename="change_generationtask"))
    return signed_in(User.objects.get(pk=rita.pk), "en")


@pytest.fixture
def root(db: None) -> Client:
    return signed_in(User.objects.create_superuser("root"), "en")


def test_staff_find_tasks_by_filters(alice: User, bob: User, staff: Client, now: datetime) -> None:
    submit(alice, now, prompt="willow by the lake")
    submit(bob, now, prompt="red umbrella")

    assert "willow" in staff.get(LIST, {"q": "lake"}).text
    assert "umbrella" not in staff.get(LIST, {"q": "lake"}).text
    assert "umbrella" in staff.get(LIST, {"q": "bob"}).text
    assert "0 generation tasks" in staff.get(LIST, {"status__exact": "failed"}).text


def test_a_user_name_searches_owners(alice: User, bob: User, staff: Client, now: datetime) -> None:
    submit(alice, now, prompt="willow for bob")
    submit(bob, now, prompt="red umbrella")
    submit(bob, now, prompt="old willow")

    def found(text: str) -> list[str]:
        return [task.prompt for task in staff.get(LIST, {"q": text}).context["cl"].result_list]

    assert sorted(found("bob")) == ["old willow", "red umbrella"]
    assert found("WILLOW bob") == ["old willow"]
    assert found('"bob"') == ["willow for bob"]
    assert found("alice umbrella") == []
    assert "Tasks of bob." in staff.get(LIST, {"q": "bob"}).text


@pytest.fixture
def eleven_thousand(alice: User, now: datetime) -> list[GenerationTask]:
    """Finished tasks, one a second, newest first; the very first has the only heron."""
    first = submit(alice, now)
    GenerationTask.objects.filter(pk=first.pk).update(
        status=TaskStatus.COMPLETED, progress=100, finished_at=now
    )
    tasks = copy_task(first, 10_999)
    GenerationTask.objects.filter(pk=tasks[-1].pk).update(prompt="a heron", search_text="a heron")
    return tasks


def test_a_long_list_shows_its_edge(staff: Client, eleven_thousand: list[GenerationTask]) -> None:
    heron = eleven_thousand[-1]

    page = staff.get(LIST, {"q": "heron"})
    assert page.context["cl"].result_count == 0
    edge = timezone.localtime(eleven_thousand[MAX_SCANNED_TASKS - 2].created)
    assert f"Searching the newest 10,000 tasks: back to {edge:%Y-%m-%d %H:%M}." in page.text
    older = staff.get(LIST + page.context["cl"].older)

    assert [task.pk for task in older.context["cl"].result_list] == [heron.pk]
    assert not older.context["cl"].older
    assert 'value="heron"' in older.text
    assert staff.get(LIST).context["cl"].result_count == MAX_SCANNED_TASKS
    rest = staff.get(LIST + staff.get(LIST).context["cl"].older).context["cl"]
    assert rest.result_count == 11_000 - MAX_SCANNED_TASKS
    assert staff.get(LIST, {"q": str(heron.pk)}).context["cl"].result_count == 1


def test_unfinished_and_deleted_tasks_are_found(
    alice: User, staff: Client, now: datetime, eleven_thousand: list[GenerationTask]
) -> None:
    stuck = submit(alice, now - timedelta(days=90))
    old = eleven_thousand[-1]
    services.move_to_trash(owner=alice, pictures=[], tasks=[old.pk], now=now)

    waiting = staff.get(LIST, {"status__exact": "queued"}).context["cl"]
    binned = staff.get(LIST, {"deleted_at__isempty": "0"}).context["cl"]

    assert stuck in list(waiting.result_list)
    assert waiting.since is None
    assert [task.pk for task in binned.result_list] == [old.pk]


@pytest.mark.parametrize(
    "until", ["", "soon", "2026-02-31", "9999-12-31", "0001-01-01T00:00+14:00"]
)
def test_an_invalid_day_is_ignored(alice: User, staff: Client, now: datetime, until: str) -> None:
    submit(alice, now)

    assert staff.get(LIST, {"until": until}).context["cl"].result_count == 1


def test_a_day_is_looked_through_up_to_its_end(alice: User, staff: Client, now: datetime) -> None:
    submit(alice, now, prompt="willow")
    submit(alice, now - timedelta(days=3), prompt="umbrella")
    day = timezone.localtime(now - timedelta(days=3)).date().isoformat()

    page = staff.get(LIST, {"until": day})

    assert [task.prompt for task in page.context["cl"].result_list] == ["umbrella"]
    assert f'name="until" value="{day}"' in page.text
    assert "willow" in staff.get(LIST + page.context["cl"].newest).text


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"status__exact": "failed"},
        {"q": "heron"},
        {"q": "heron", "error_code": "model_error", "step__exact": "decoding", "model": "m"},
        {"deleted_at__isempty": "0"},
        {"status__exact": "queued"},
        {"o": "-8"},
    ],
    ids=lambda query: " ".join(query) or "plain",
)
def test_no_list_reads_the_whole_table(
    alice: User,
    staff: Client,
    now: datetime,
    eleven_thousand: list[GenerationTask],
    query: dict[str, str],
) -> None:
    services.move_to_trash(owner=alice, pictures=[], tasks=[eleven_thousand[500].pk], now=now)
    analyze("generation_generationtask")

    with CaptureQueriesContext(connection) as captured:
        staff.get(LIST, query)

    of_tasks = [q["sql"] for q in captured.captured_queries if 'FROM "generation_gen' in q["sql"]]
    assert of_tasks
    for sql in of_tasks:
        plan = plan_of(sql)
        assert "Seq Scan on generation_generationtask" not in plan, plan
        # to find how far to look it walks so far in the index alone
        walks = "OFFSET" in sql and "COVERING INDEX tasks_newest_first" in plan
        assert walks or "SCAN generation_generationtask" not in plan, plan


def test_staff_find_what_an_owner_deleted(alice: User, staff: Client, now: datetime) -> None:
    binned, kept = submit(alice, now, prompt="willow"), submit(alice, now, prompt="umbrella")
    services.request_cancel(task_id=binned.pk, now=now)
    services.move_to_trash(owner=alice, pictures=[], tasks=[binned.pk], now=now)

    assert "willow" in staff.get(LIST).text
    found = staff.get(LIST, {"deleted_at__isempty": "0"}).text
    assert "willow" in found
    assert kept.prompt not in found
    assert staff.get(f"{LIST}{binned.pk}/change/").status_code == 200


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
    assert "1 task was submitted again." in act("retry_tasks", failed)
    assert "1 task was skipped: its status does not allow this." in act("cancel_tasks", failed)
    waiting.refresh_from_db()
    assert waiting.status == "cancelled"
    assert failed.retries.get().owner == alice


def test_viewers_get_no_actions(alice: User, staff: Client, now: datetime) -> None:
    task = submit(alice, now)

    data = {"action": "cancel_tasks", "_selected_action": str(task.pk)}
    staff.post(LIST, data)

    task.refresh_from_db()
    assert task.status == "queued"
    assert "cancel_tasks" not in staff.get(LIST).text


def test_without_the_permission_no_task_is_shown(bob: User) -> None:
    bob.is_staff = True
    bob.save()

    assert signed_in(bob).get(LIST).status_code == 403


def test_a_token_is_shown_without_its_secret(alice: User, root: Client, now: datetime) -> None:
    token = create_token(owner=alice, name="script", now=now)

    html = root.get("/admin/generation/apitoken/").text

    assert "script" in html
    assert token not in html
    assert ApiToken.objects.get().digest not in html


def test_workers_models_and_slots_are_shown(root: Client, model: str, worker: Worker) -> None:
    for name in ("worker", "modelstate", "modelslot"):
        assert root.get(f"/admin/generation/{name}/").status_code == 200


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

    page = staff.get(f"{LIST}{task.pk}/change/").text
    of_child = staff.get(f"{LIST}{child.pk}/change/").text

    for index in (1, 2):
        picture = f"/pictures/{task.pk}/{index}/"
        assert f'href="{picture}"' in page
        assert f'<img src="{picture}thumbnail/" alt="picture {index}"' in page
        assert staff.get(f"{picture}thumbnail/").status_code == 200
    assert f'href="/tasks/{task.pk}/"' in page
    assert f'href="{LIST}?q=alice"' in page
    assert f'href="{LIST}{child.pk}/change/"' in page
    assert f'href="{LIST}{task.pk}/change/"' in of_child
    assert f'href="{LIST}?q=alice"' in staff.get(LIST).text


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
        client.get(LIST).text,
        client.get(f"{LIST}{failed.pk}/change/").text,
        client.get(f"{LIST}{interrupted.pk}/change/").text,
    ]

    assert words[0] in pages[0]
    assert words[0] in pages[1]
    assert words[1] in pages[2]
    for page in pages:
        shown = re.sub(r"<[^>]*>", " ", page)
        assert not re.search(r"\b(model_error|lease_expired|out_of_memory|step_began)\b", shown)
