"""JSON requests of pages: valid, invalid, and for tasks of another user."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from generation.models import GeneratedImage, GenerationTask
from generation.sessions import TokenBucket, request_buckets
from tests.factories import finished_task, picture_key, submit
from tests.pages.page_clients import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media")]

NOBODYS = "7f1c1c1e-0d7a-4a53-9f0e-2f8b6d1f6a11"
CHANGES = ["/gallery/favourite/", "/gallery/delete/", "/gallery/restore/"]


def ask(client: Client, path: str, body: Any) -> tuple[int, dict[str, Any]]:
    response = client.post(path, body, content_type="application/json")
    return response.status_code, response.json()


def test_actions_return_the_number_changed(alice: User, now: datetime) -> None:
    task, other = finished_task(alice, now, pictures=2), finished_task(alice, now)
    client = signed_in(alice)
    things = {
        "pictures": [picture_key(task, 1), picture_key(task, 2), picture_key(task, 1)],
        "tasks": [str(other.pk)],
    }

    liked = ask(client, CHANGES[0], {"pictures": things["pictures"], "favourite": True})
    assert liked == (200, {"changed": 2})
    assert ask(client, CHANGES[1], things) == (200, {"deleted": 3})
    assert not GenerationTask.objects.live().exists()
    assert client.get(f"/tasks/{task.pk}/").status_code == 404
    assert client.get(f"/pictures/{other.pk}/1/").status_code == 404
    assert client.get(f"/pictures/{other.pk}/1/thumbnail/").status_code == 404
    assert ask(client, CHANGES[1], things) == (200, {"deleted": 0})
    assert ask(client, CHANGES[2], things) == (200, {"restored": 3})
    assert client.get(f"/pictures/{other.pk}/1/").status_code == 200
    assert GeneratedImage.objects.filter(favourite=True, deleted_at=None).count() == 2


def test_an_unfinished_task_is_a_conflict(alice: User, now: datetime) -> None:
    over, waiting = finished_task(alice, now), submit(alice, now)

    status, answer = ask(
        signed_in(alice), CHANGES[1], {"pictures": [picture_key(over)], "tasks": [str(waiting.pk)]}
    )

    assert (status, answer["code"]) == (409, "not_allowed_now")
    assert GenerationTask.objects.live().count() == 2


@pytest.mark.parametrize("path", CHANGES)
def test_what_is_anothers_is_not_there_for_other_users(
    alice: User, bob: User, rita: User, now: datetime, path: str
) -> None:
    others, mine = finished_task(alice, now), finished_task(bob, now)
    for client in (signed_in(bob), signed_in(rita)):
        for things in (
            {"pictures": [picture_key(others)]},
            {"pictures": [picture_key(others, 4)]},
            {"pictures": [f"{uuid.uuid4()}:1"]},
        ):
            status, answer = ask(client, path, {**things, "favourite": True})
            assert (status, answer["code"]) == (404, "not_found")
    status, answer = ask(
        signed_in(bob),
        path,
        {"pictures": [picture_key(mine), picture_key(others)], "favourite": True},
    )

    assert status == 404
    assert not GeneratedImage.objects.filter(favourite=True).exists()
    assert GenerationTask.objects.live().count() == 2


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "not_json"),
        ("{", "not_json"),
        (b"\xff\xfe\x00", "not_json"),
        ("[" * 60_000, "not_json"),
        ("[]", "bad_message"),
        ("null", "bad_message"),
        ({"favourite": True, "pictures": "all"}, "bad_message"),
        ({"favourite": True, "pictures": {"0": "a"}}, "bad_message"),
        ({"favourite": True, "pictures": [1]}, "bad_message"),
        ({"favourite": True, "pictures": [None]}, "bad_message"),
        ({"favourite": True, "pictures": [""]}, "bad_message"),
        ({"favourite": True, "pictures": [f"{NOBODYS}:5"]}, "bad_message"),
        ({"favourite": True, "pictures": [f"{NOBODYS}:1\n"]}, "bad_message"),
        ({"favourite": True, "pictures": [f"{NOBODYS}:1"] * 501}, "too_many_pictures"),
        ({"favourite": True, "pictures": ["x" * 70_000]}, "too_long"),
    ],
)
def test_garbage_is_refused_with_a_code(alice: User, path: str, body: Any, code: str) -> None:
    status, answer = ask(signed_in(alice), path, body)

    assert (status, answer["code"]) == (400, code)
    assert answer["message"]


@pytest.mark.parametrize("favourite", [None, 1, "true", [], {}])
def test_a_favourite_is_true_or_false(alice: User, now: datetime, favourite: Any) -> None:
    body = {"pictures": [picture_key(finished_task(alice, now))], "favourite": favourite}

    assert ask(signed_in(alice), CHANGES[0], body)[0] == 400


@pytest.mark.parametrize("tasks", ["x", ["x"], [1], ["0" * 33], [NOBODYS] * 501])
def test_bad_task_ids_are_refused(alice: User, tasks: Any) -> None:
    for path in CHANGES[1:]:
        assert ask(signed_in(alice), path, {"tasks": tasks})[0] == 400


@pytest.mark.parametrize("path", CHANGES)
def test_a_form_is_no_json_even_with_its_token(alice: User, path: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    browser.get("/gallery/")
    token = browser.cookies[settings.CSRF_COOKIE_NAME].value

    response = browser.post(path, {"csrfmiddlewaretoken": token, "pictures": "[]"})

    assert (response.status_code, response.json()["code"]) == (400, "not_json")


def test_requests_are_rate_limited(alice: User, bob: User, now: datetime) -> None:
    task, client = finished_task(alice, now), signed_in(alice)
    about = f"/pictures/{task.pk}/1/about/"
    # nothing comes back while the test runs, however long that takes
    request_buckets.by_owner[alice.pk] = TokenBucket(rate=0, burst=3)

    assert [client.get(about).status_code for _each in range(4)] == [200, 200, 200, 429]
    assert client.get(about).json()["code"] == "flooding"
    assert ask(client, CHANGES[1], {"tasks": [str(task.pk)]})[0] == 429
    assert client.post("/gallery/zip/", {"pictures": picture_key(task)}).status_code == 429
    assert GenerationTask.objects.live().count() == 1
    assert signed_in(bob).get(about).status_code == 404


@pytest.mark.parametrize("path", CHANGES)
def test_only_a_signed_in_page_of_ours_may_ask(alice: User, path: str) -> None:
    forging = Client(enforce_csrf_checks=True)
    forging.force_login(alice)

    assert forging.post(path, {}, content_type="application/json").status_code == 403
    assert forging.post(path, {"pictures": "x"}).status_code == 403
    assert signed_in(alice).get(path).status_code == 405
    assert signed_in(alice).delete(path).status_code == 405
    status, answer = ask(Client(), path, {})
    assert (status, answer["code"]) == (403, "not_signed_in")


def test_refusals_speak_the_readers_language(alice: User) -> None:
    path = CHANGES[0]

    assert ask(signed_in(alice, "en"), path, "{")[1]["message"].startswith("The message")
    assert "JSON" in ask(signed_in(alice), path, "{")[1]["message"]
    assert not ask(signed_in(alice), path, "{")[1]["message"].isascii()
