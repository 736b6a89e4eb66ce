"""The operations page for each permission, and what its buttons do."""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from generation import selectors, services
from generation.choices import AuditAction, TaskStatus
from generation.models import (
    AuditEntry,
    GenerationTask,
    Installation,
    ModelServer,
    ModelState,
    Worker,
)
from tests.conftest import MODEL
from tests.factories import claim_one, finished_task, observed, record_models, submit
from tests.pages.page_clients import signed_in

PAGE = "/admin/operations/"
LATER = timedelta(minutes=1)
pytestmark = pytest.mark.django_db


def staff_with(*codenames: str, language: str = "en") -> Client:
    user = User.objects.create_user("otto", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return signed_in(user, language)


@pytest.fixture
def otto(db: None) -> Client:
    """An operator that may not view tasks."""
    return staff_with("change_installation")


def press(client: Client, name: str, target: object = "") -> str:
    """Ask, then confirm; the page afterwards."""
    asked = client.get(f"{PAGE}{name}/", {"target": str(target)})
    assert asked.status_code == 200
    value = re.search(r'name="target" value="([^"]*)"', asked.text)
    assert value is not None
    return client.post(f"{PAGE}{name}/", {"target": value[1]}, follow=True).text


def audited() -> list[tuple[str, str, dict[str, object]]]:
    entries = AuditEntry.objects.order_by("pk")
    return list(entries.values_list("actor_name", "action", "details"))


@pytest.mark.parametrize(
    ("codename", "sees", "acts"),
    [
        ("change_installation", 200, 200),
        ("view_generationtask", 200, 403),
        ("change_generationtask", 403, 403),
        ("view_worker", 403, 403),
    ],
)
def test_each_permission_gets_its_part_of_the_page(
    codename: str, sees: int, acts: int, worker: Worker
) -> None:
    client = staff_with(codename)

    page = client.get(PAGE)

    assert page.status_code == sees
    assert client.get(f"{PAGE}pause/").status_code == acts
    assert client.post(f"{PAGE}pause/").status_code == (302 if acts == 200 else acts)
    assert ("Drain…" in page.text) == (acts == 200)
    assert ("Operations overview" in client.get("/admin/").text) == (sees == 200)


def test_a_wrong_address_does_nothing(otto: Client) -> None:
    assert otto.get(f"{PAGE}explode/").status_code == 404
    assert otto.post(f"{PAGE}explode/").status_code == 404
    for target in ("nobody", str(uuid.uuid4()), "\0"):
        assert "Nothing was changed" in press(otto, "drain", target)
    assert "Nothing was changed" in press(otto, "pause", "no\0model")
    assert audited() == []


def test_a_button_needs_the_token_of_its_form(otto: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = otto.cookies

    assert strict.post(f"{PAGE}pause/").status_code == 403
    assert not Installation.objects.filter(paused=True).exists()


def test_an_empty_studio_has_a_page(otto: Client) -> None:
    page = otto.get(PAGE).text

    for text in (
        "No worker is running.",
        "manage.py run_worker",
        "nothing waits",
        "No task failed",
    ):
        assert text in page


@pytest.mark.parametrize(
    ("name", "language"), list(zip(selectors.RANGES, ["en", "zh-hans"] * 2, strict=True))
)
def test_figures_are_on_the_page_with_a_table_behind_each_chart(
    alice: User, model: str, worker: Worker, now: datetime, media: object, name: str, language: str
) -> None:
    for status in ("completed", "completed", "failed"):
        task = finished_task(alice, now - 2 * LATER, status=status)
        GenerationTask.objects.filter(pk=task.pk).update(
            wait_seconds=7, run_seconds=9, measured_durations={"generating": 8}, step="decoding"
        )
    submit(alice, now - LATER)
    services.sample_queue(now=now)
    services.roll_up(now=now)
    services.roll_up(now=now)

    page = staff_with("view_generationtask", language=language).get(f"{PAGE}?range={name}").text

    assert page.count("<details") == 3
    assert page.count('role="img"') >= 3
    assert "33.3 %" in page
    assert str(worker) in page
    assert model in page


@pytest.mark.parametrize(
    ("language", "heading"), [("en", "Memory in use"), ("zh-hans", "已用内存")]
)
def test_the_memory_of_each_model_server_is_shown_if_it_is_known(
    worker: Worker, now: datetime, language: str, heading: str
) -> None:
    otto = staff_with("change_installation", language=language)
    first, second, old = [
        ModelServer.objects.create(name=name, url=f"http://{name}:9997")
        for name in ("first", "second", "old")
    ]
    assert "GPU" not in otto.get(PAGE).text

    for server, used, measured in ((first, 3, now), (second, 5, now), (old, 7, now - 2 * LATER)):
        services.record_memory(
            server_id=server.pk,
            used=used * 2**30,
            gpu_used=20 * 2**30 if server == first else None,
            gpu_total=24 * 2**30 if server == first else None,
            now=measured,
        )

    text = otto.get(PAGE).text.replace("\xa0", " ")
    assert heading in text
    assert re.findall(r"(?<!GPU )\b(\d\.0) GB\b", text) == ["3.0", "5.0"]
    assert text.count("GPU 20.0 GB / 24.0 GB") == 1
    assert text.index("3.0 GB") < text.index("5.0 GB")


@pytest.mark.parametrize(
    ("others", "text"),
    [
        (None, "its queue is not known"),
        (0, ""),
        (1, "1 call of other programs"),
        (3, "3 calls of other programs"),
    ],
)
def test_calls_of_other_programs_are_shown_beside_the_slots(
    otto: Client, now: datetime, others: int | None, text: str
) -> None:
    server = ModelServer.objects.create(
        name="shared", url="http://shared:9997", metrics_url="http://shared:9983", checked_at=now
    )
    services.record_models(
        server_id=server.pk, seen=[observed(MODEL, 4, other_calls=others)], now=now
    )

    page = otto.get(PAGE).text

    assert text in page
    assert ("of other programs" in page) == bool(others)
    assert ("its queue is not known" in page) == (others is None)


def test_model_servers_that_are_not_listed_are_counted(otto: Client) -> None:
    ModelServer.objects.bulk_create(
        ModelServer(name=f"gpu{number}", url="http://gpu:9997") for number in range(53)
    )

    page = otto.get(PAGE).text

    assert page.count("http://gpu:9997") == 50
    assert "3 more are not listed." in page


def test_a_script_gets_the_live_part_alone(otto: Client) -> None:
    part = otto.get(PAGE, {"part": "live", "range": "7d"}).text

    assert "<html" not in part
    assert 'id="range-7d"' in part
    assert re.search(r'id="range-7d"[^>]*aria-current="true"', part)


def test_pausing_all_tells_users_and_resuming_claims_again(
    otto: Client, alice: User, model: str, worker: Worker, now: datetime
) -> None:
    page = press(otto, "pause")

    assert Installation.objects.get().paused
    assert "users read “paused by the operator”" in page
    press(otto, "resume")
    assert not Installation.objects.get().paused
    assert audited() == [
        ("otto", AuditAction.PAUSED, {}),
        ("otto", AuditAction.RESUMED, {}),
    ]


def test_a_paused_model_is_not_claimed_and_its_users_read_why(
    otto: Client, alice: User, model: str, worker: Worker, now: datetime
) -> None:
    task = submit(alice, now)
    press(otto, "pause", model)

    assert services.claim(worker_id=worker.pk, now=now) == []
    positions = selectors.queue_positions([str(task.pk)], now=now)
    assert positions[str(task.pk)]["reason"] == "paused"
    (offer,) = selectors.model_offers(alice.pk, now=now)
    assert (offer["ready"], offer["wait"]["reason"]) == (False, "paused")
    for language, words in (("en", "Paused by the operator"), ("zh-hans", "已由管理员暂停")):
        assert words in signed_in(alice, language).get("/").text

    press(otto, "resume", model)
    assert claim_one(worker, now).task == task
    assert [(action, details) for _name, action, details in audited()] == [
        (AuditAction.PAUSED, {"model": model}),
        (AuditAction.RESUMED, {"model": model}),
    ]


def test_a_paused_model_stays_paused_while_it_is_not_served(
    otto: Client, model: str, now: datetime
) -> None:
    ModelState.objects.create(name="other", checked_at=now, seen_at=now)
    press(otto, "pause", "other")

    record_models(now=now + timedelta(hours=2))

    assert ModelState.objects.get(name="other").paused


def test_draining_the_last_worker_tells_users(
    otto: Client, alice: User, model: str, worker: Worker, now: datetime
) -> None:
    task = submit(alice, now)
    page = press(otto, "drain", worker.pk)
    services.heartbeat(worker_id=worker.pk, slot_ids=[], draining=True, now=now)

    assert "drained" in page
    positions = selectors.queue_positions([str(task.pk)], now=now)
    assert positions[str(task.pk)]["reason"] == "paused"
    assert "Undo draining…" in page
    press(otto, "undo-drain", worker.pk)
    assert not Worker.objects.get().is_drained
    named = {"worker": str(worker.pk)[:8], "host": "here", "pid": 1}
    assert audited() == [
        ("otto", AuditAction.WORKER_DRAINED, named),
        ("otto", AuditAction.WORKER_UNDRAINED, named),
    ]


def test_alarms_know_what_operators_keep_waiting(
    otto: Client, alice: User, model: str, worker: Worker, now: datetime
) -> None:
    submit(alice, now - LATER)
    press(otto, "pause", model)
    paused = selectors.installation_totals(now)
    press(otto, "resume", model)
    press(otto, "drain", worker.pk)
    services.heartbeat(worker_id=worker.pk, slot_ids=[], draining=True, now=now)

    drained = selectors.installation_totals(now)

    assert (paused.oldest_wait, paused.is_paused) == (0, False)
    assert (drained.oldest_wait, drained.is_paused) == (60, True)


def lose(worker: Worker, now: datetime) -> None:
    Worker.objects.filter(pk=worker.pk).update(last_seen=now - LATER)


def test_slots_of_a_lost_worker_are_taken_over_at_once(
    otto: Client, alice: User, model: str, worker: Worker, now: datetime
) -> None:
    submit(alice, now)
    task = claim_one(worker, now).task
    assert "Nothing was changed" in press(otto, "take-over", worker.pk)
    lose(worker, now)
    other = services.register_worker(host="there", pid=2, version="test", now=now)
    assert services.take_over_expired(worker_id=other.pk, now=now) == []

    page = otto.get(PAGE).text
    assert "has sent no heartbeat" in page
    assert "It still holds 1 slot" in page
    assert ">here:1 lost</text>" in page
    press(otto, "take-over", worker.pk)

    (abandoned,) = services.take_over_expired(worker_id=other.pk, now=now + timedelta(seconds=5))
    assert abandoned.task_id == task.pk
    task.refresh_from_db()
    assert task.status == TaskStatus.QUEUED
    assert audited()[-1][1:] == (
        AuditAction.SLOTS_TAKEN_OVER,
        {"worker": str(worker.pk)[:8], "host": "here", "pid": 1, "slots": 1},
    )


def test_a_late_worker_is_named_before_it_counts_as_lost(
    otto: Client, worker: Worker, now: datetime
) -> None:
    Worker.objects.update(last_seen=now - timedelta(seconds=12))

    page = otto.get(PAGE).text

    assert "It may be busy." in page
    assert "Forget…" not in page


def test_a_restored_copy_is_not_resumed_by_the_page(
    otto: Client, worker: Worker, now: datetime
) -> None:
    services.heartbeat(worker_id=worker.pk, slot_ids=[], draining=False, paused=True, now=now)

    page = otto.get(PAGE).text

    assert "this database is a restored copy" in page
    assert "Resume…" not in page


def test_only_a_lost_worker_is_forgotten(otto: Client, worker: Worker, now: datetime) -> None:
    assert "Nothing was changed" in press(otto, "forget", worker.pk)
    lose(worker, now)
    assert "Nothing was changed" in press(otto, "drain", worker.pk)

    press(otto, "forget", worker.pk)

    assert not Worker.objects.exists()
    assert [action for _name, action, _details in audited()] == [AuditAction.WORKER_FORGOTTEN]


def test_a_model_that_is_not_needed_is_no_warning(otto: Client, now: datetime) -> None:
    ModelState.objects.create(name="unused", checked_at=now)

    page = otto.get(PAGE).text

    assert "not usable" in page
    assert "unused cannot be used." not in page


def test_a_model_that_cannot_be_used_is_named_with_its_cause(
    otto: Client, model: str, worker: Worker, now: datetime
) -> None:
    record_models(now=now)

    page = otto.get(PAGE).text

    assert f"{model} cannot be used." in page
    assert services.NOT_SERVED in page
