"""Model servers in the admin: permissions, keys, what happens to keys, and what is refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import unquote, urlsplit

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from generation import services
from generation.choices import AuditAction, ServerCondition
from generation.error_codes import ErrorCode
from generation.models import AuditEntry, ModelInstance, ModelServer, ModelSlot, ModelState
from generation.selectors import server_condition
from tests.factories import submit
from tests.pages.page_clients import signed_in

PAGE = "/admin/generation/modelserver/"
KEY = "sk-secret-of-gpu2"
pytestmark = pytest.mark.django_db


def staff_with(codename: str, language: str = "en") -> Client:
    user = User.objects.create_user("otto", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename=codename))
    return signed_in(user, language)


@pytest.fixture
def otto(db: None) -> Client:
    return staff_with("change_installation")


def fields(**changed: object) -> dict[str, object]:
    """A form of a new server, as a browser sends it."""
    form: dict[str, object] = {
        "name": "gpu2",
        "url": "http://gpu2:9997",
        "key": "",
        "key_variable": "",
        "ca_file": "",
        "client_certificate": "",
        "verify": "on",
        "proxy": "",
        "metrics_url": "",
        "enabled": "on",
        "weight": "1",
        "note": "",
        **changed,
    }
    return {name: value for name, value in form.items() if value is not None}


def add(client: Client, **changed: object) -> ModelServer:
    response = client.post(f"{PAGE}add/", fields(**changed))
    assert response.status_code == 302, response.context["adminform"].form.errors
    return ModelServer.objects.get(name=changed.get("name", "gpu2"))


def errors_of(client: Client, address: str, **changed: object) -> list[str]:
    """Names of the fields that are refused; nothing is stored."""
    before = list(ModelServer.objects.values())
    response = client.post(address, fields(**changed))
    assert response.status_code == 200
    assert list(ModelServer.objects.values()) == before
    return sorted(response.context["adminform"].form.errors)


def change(server: ModelServer) -> str:
    return f"{PAGE}{server.pk}/change/"


def actions() -> list[tuple[str, dict[str, object]]]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", "details"))


def serve(server: ModelServer, now: datetime, slots: int = 2) -> ModelInstance:
    """Its model is ready."""
    instance = ModelInstance.objects.create(
        server=server, model="paints", ready=True, slots=slots, replicas=slots, checked_at=now
    )
    for number in range(1, slots + 1):
        ModelSlot.objects.create(model="paints", instance=instance, number=number)
    services.sum_models(now=now)
    return instance


@pytest.mark.parametrize(
    ("codename", "status"), [("change_installation", 200), ("view_generationtask", 403)]
)
def test_only_operators_see_and_change_servers(codename: str, status: int) -> None:
    client = staff_with(codename)

    assert client.get(PAGE).status_code == status
    assert client.get(f"{PAGE}add/").status_code == status
    assert ("Model servers" in client.get("/admin/").text) == (status == 200)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_key_is_stored_encrypted_and_never_shown(language: str) -> None:
    client = staff_with("change_installation", language)

    server = add(client, key=KEY)

    assert KEY not in server.encrypted_key
    assert services.connection_of(server).api_key == KEY
    for address in (PAGE, change(server)):
        page = client.get(address).text
        assert KEY not in page
        assert server.encrypted_key not in page
    assert [(name, details["change"]) for name, details in actions()] == [
        (AuditAction.SERVER_CHANGED, "added")
    ]
    assert KEY not in str(actions())


def test_a_changed_note_keeps_the_key_and_an_empty_one_removes_it(otto: Client) -> None:
    server = add(otto, key=KEY)

    otto.post(change(server), fields(note="under the stairs"))
    server.refresh_from_db()
    assert (server.note, services.connection_of(server).api_key) == ("under the stairs", KEY)

    otto.post(change(server), fields(remove_key="on"))
    server.refresh_from_db()
    assert server.encrypted_key == ""


@pytest.mark.parametrize(
    "other",
    [
        {"url": "http://elsewhere:9997"},
        {"url": "http://gpu2:80"},
        {"url": "https://gpu2:9997"},
        {"url": "http://anna@gpu2.evil.example"},
        {"proxy": "http://elsewhere:3128"},
        {"verify": None},
        {"ca_file": "/etc/ssl/theirs.pem"},
    ],
)
def test_a_stored_key_goes_nowhere_else(otto: Client, other: dict[str, object]) -> None:
    server = add(otto, key=KEY)

    assert errors_of(otto, change(server), **other) == ["key"]

    otto.post(change(server), fields(**{**other, "key": "another"}))
    server.refresh_from_db()
    assert KEY not in str(services.connection_of(server).api_key)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"url": "gpu2:9997"}, ["url"]),
        ({"url": "ftp://gpu2"}, ["url"]),
        ({"url": "http://"}, ["url"]),
        ({"url": ""}, ["url"]),
        ({"url": "http://gpu2:99999"}, ["url"]),
        ({"url": "http://gpu2:0"}, ["url"]),
        ({"url": "http://gpu 2:9997"}, ["url"]),
        ({"url": "http://gpu2:9997/?key=1"}, ["url"]),
        ({"url": "http://[::1"}, ["url"]),
        ({"url": "http://gpu2:9997/v1"}, ["url"]),
        ({"url": "http://gpu_2..example"}, ["url"]),
        ({"proxy": "https://proxy:3128"}, ["proxy"]),
        ({"proxy": "http://proxy:3128/path"}, ["proxy"]),
        ({"url": "http://anna:secret@gpu2"}, ["url"]),
        ({"url": "http://gpu2\r\nHost: other"}, ["url"]),
        ({"proxy": "http://anna:secret@proxy:3128"}, ["proxy"]),
        ({"proxy": "socks4://proxy"}, ["proxy"]),
        ({"metrics_url": "gpu2:9983"}, ["metrics_url"]),
        ({"metrics_url": "http://anna@gpu2:9983"}, ["metrics_url"]),
        ({"metrics_url": "file:///etc/passwd"}, ["metrics_url"]),
        ({"metrics_url": "http://gpu2:9983/metrics?x=1"}, ["metrics_url"]),
        ({"key": "two words"}, ["key"]),
        ({"key": KEY, "key_variable": "XINFERENCE_KEY_GPU2"}, ["key"]),
        ({"key_variable": "SECRET_KEY"}, ["key_variable"]),
        ({"key_variable": "XINFERENCE_API_KEY"}, ["key_variable"]),
        ({"weight": "0"}, ["weight"]),
        ({"weight": "101"}, ["weight"]),
        ({"name": "gpu 2"}, ["name"]),
        ({"name": "x" * 41}, ["name"]),
    ],
)
def test_wrong_values_are_refused_by_name(
    otto: Client, wrong: dict[str, object], named: list[str]
) -> None:
    assert errors_of(otto, f"{PAGE}add/", **wrong) == named


@pytest.mark.parametrize("password", ["plain", "a/b?c#d@e:f%20g"])
def test_the_key_is_the_password_of_a_user(otto: Client, password: str) -> None:
    server = add(otto, url="https://anna@gpu2.example/x", key=password)

    url = urlsplit(services.connection_of(server).url)

    assert (url.hostname, url.path, url.username) == ("gpu2.example", "/x", "anna")
    assert unquote(url.password or "") == password


@pytest.mark.parametrize(
    "url",
    [
        *("http://gpu2:9997", "https://gpu2.example/xinference", "http://[::1]:9997"),
        *("http://10.0.0.2", "https://anna@gpu2.example"),
    ],
)
def test_addresses_lose_their_final_slash(otto: Client, url: str) -> None:
    assert add(otto, url=f"{url}/").url == url


@pytest.mark.parametrize("ending", ["", "/", "/metrics", "/metrics/", "/below"])
def test_metrics_are_asked_at_the_address_without_their_path(otto: Client, ending: str) -> None:
    server = add(otto, metrics_url=f"http://gpu2:9983{ending}")

    assert server.metrics_url == "http://gpu2:9983" + ("/below" if ending == "/below" else "")
    assert services.connection_of(server).metrics_url == server.metrics_url


def test_a_drained_server_gives_no_slots(otto: Client, now: datetime) -> None:
    serve(add(otto), now)
    assert ModelState.objects.get(name="paints").slots == 2

    page = otto.get("/admin/operations/").text
    assert "gpu2" in page
    otto.post("/admin/operations/drain-server/", {"target": "gpu2"})

    assert not ModelState.objects.get(name="paints").ready
    assert "Undo draining" in otto.get("/admin/operations/").text
    otto.post("/admin/operations/undo-drain-server/", {"target": "gpu2"})
    assert ModelState.objects.get(name="paints").ready
    assert [name for name, _details in actions()][1:] == [
        *(AuditAction.SERVER_DRAINED, AuditAction.SERVER_UNDRAINED)
    ]


def test_the_list_drains_several(otto: Client) -> None:
    chosen = [add(otto).pk, add(otto, name="gpu3").pk]

    otto.post(PAGE, {"action": "drain", "_selected_action": chosen})

    assert ModelServer.objects.filter(draining=True).count() == 2


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        (ErrorCode.MODEL_DOWN, "Workers check the servers that are away within seconds."),
        (None, "None of them is away: workers check the others every 5 seconds."),
    ],
)
def test_the_list_checks_servers_that_are_away(
    otto: Client, now: datetime, code: ErrorCode | None, answer: str
) -> None:
    server = add(otto)
    serve(server, now)
    ModelServer.objects.update(checked_at=now, error_code=code or "")

    page = otto.post(PAGE, {"action": "check_now", "_selected_action": [server.pk]}, follow=True)

    assert answer in page.text
    server.refresh_from_db()
    assert (server.checked_at is None) == (code is not None)


def test_a_changed_server_that_is_away_is_checked(otto: Client, now: datetime) -> None:
    server = add(otto)
    ModelServer.objects.update(checked_at=now, error_code=ErrorCode.MODEL_DOWN)

    otto.post(change(server), fields(note="plugged in again"))

    server.refresh_from_db()
    assert (server.note, server.checked_at) == ("plugged in again", None)


def test_a_server_with_calls_is_not_removed(otto: Client, alice: User, now: datetime) -> None:
    server = add(otto)
    instance = serve(server, now)
    slot = ModelSlot.objects.filter(instance=instance)
    task = submit(alice, now)
    slot.filter(number=1).update(task=task, attempt=1, lease_until=now + timedelta(minutes=1))

    otto.get(PAGE)  # shows that it was added
    page = otto.post(f"{PAGE}{server.pk}/delete/", {"post": "yes"}, follow=True).text
    assert "gpu2 has calls" in page
    assert "successfully" not in page
    assert ModelServer.objects.filter(pk=server.pk).exists()

    slot.update(task=None, attempt=0, lease_until=None)
    otto.post(f"{PAGE}{server.pk}/delete/", {"post": "yes"})
    assert not ModelServer.objects.filter(pk=server.pk).exists()
    assert not ModelSlot.objects.filter(instance=instance.pk).exists()
    assert actions()[-1][1]["change"] == "removed"


def test_the_settings_own_their_servers(otto: Client) -> None:
    server = ModelServer.objects.create(name="own", url="http://own:9997", from_environment=True)

    assert "name_key" not in otto.get(change(server)).text
    metrics_url = "http://own:9983"
    changed = {"weight": "7", "draining": "on", "metrics_url": metrics_url}
    otto.post(change(server), fields(name="mine", url="http://other:1", **changed))
    assert otto.post(f"{PAGE}{server.pk}/delete/", {"post": "yes"}).status_code == 403

    server.refresh_from_db()
    assert (server.name, server.url) == ("own", "http://own:9997")
    assert (server.weight, server.draining, server.metrics_url) == (7, True, metrics_url)


def test_a_change_forgets_old_failures(otto: Client, now: datetime) -> None:
    server = add(otto)
    ModelServer.objects.filter(pk=server.pk).update(
        recent_calls="xxx", rested_until=now + timedelta(minutes=1), rests=3
    )

    otto.post(change(server), fields(url="http://gpu2:9998"))

    server.refresh_from_db()
    assert (server.recent_calls, server.rested_until, server.rests) == ("", None, 0)


@pytest.mark.parametrize(
    ("columns", "condition"),
    [
        ({}, ServerCondition.UNCHECKED),
        ({"checked_at": 1}, ServerCondition.READY),
        ({"checked_at": 1, "rested_until": 1}, ServerCondition.RESTING),
        ({"checked_at": 1, "error_code": "model_down"}, ServerCondition.UNUSABLE),
        ({"draining": True, "error_code": "model_down"}, ServerCondition.DRAINED),
        ({"enabled": False, "draining": True}, ServerCondition.DISABLED),
    ],
)
def test_the_first_condition_that_applies_is_shown(
    columns: dict[str, object], condition: ServerCondition, now: datetime
) -> None:
    values = {
        name: now if value == 1 and name.endswith(("at", "until")) else value
        for name, value in columns.items()
    }

    assert server_condition(ModelServer(name="gpu2", **values)) == condition
