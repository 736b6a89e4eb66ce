"""Pages without scripts, and access to them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation import limits, services
from generation.models import Worker
from generation.services import Fraction
from tests.factories import claim_one, complete, submit
from tests.pages.page_clients import signed_in, state_in

pytestmark = pytest.mark.django_db


def test_an_anonymous_page_redirects_to_the_sign_in() -> None:
    for path in ("/", "/tasks/00000000-0000-4000-8000-000000000000/"):
        response = Client().get(path)
        assert response.status_code == 302
        assert response["Location"].startswith("/accounts/sign-in/?next=/")


def test_signing_in_and_out_works(alice: User) -> None:
    alice.set_password("alice's secret")
    alice.save()
    client = Client()

    wrong = client.post("/accounts/sign-in/", {"login": "alice", "password": "no"})
    right = client.post("/accounts/sign-in/", {"login": "alice", "password": "alice's secret"})

    assert wrong.status_code == 200
    assert (right.status_code, right["Location"]) == (302, "/")
    assert client.get("/").status_code == 200
    assert client.get("/accounts/sign-out/").status_code == 405
    assert client.post("/accounts/sign-out/").status_code == 302
    assert client.get("/").status_code == 302


@pytest.mark.parametrize(("language", "word"), [("zh-hans", "开始生成图片"), ("en", "Draw")])
def test_the_studio_page_has_both_languages(alice: User, language: str, word: str) -> None:
    response = signed_in(alice, language).get("/")

    assert response.status_code == 200
    assert word in response.text


@pytest.mark.parametrize(
    ("variable", "notes"),
    [("", 2), ("XINFERENCE_URL", 0), ("XINFERENCE_URLS", 0), ("XINFERENCE_SERVERS_IN_ADMIN", 0)],
)
def test_composer_and_first_run_say_that_the_demo_model_draws(
    alice: User, settings: Any, variable: str, notes: int
) -> None:
    if variable:
        setattr(settings, variable, "http://gpu:9997")

    assert signed_in(alice, "en").get("/").text.count("the built-in demo model draws") == notes


def test_the_page_has_the_state(alice: User, model: str, worker: Worker, now: datetime) -> None:
    task = submit(alice, now, prompt="first paint")
    claim = claim_one(worker, now)
    fraction = Fraction(progress=47.3, eta_seconds=3.2, image=1, fraction=0.5, done=5, total=10)
    services.record_progress(task_id=task.pk, attempt=claim.task.attempt, seen=[fraction], now=now)

    html = signed_in(alice).get("/").text

    (card,) = state_in(html)["tasks"]
    assert "prompt" not in card["task"]
    assert (card["state"]["seq"], card["state"]["progress"]) == (4, 47.3)
    visible = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    assert "first paint" in visible
    assert "47" in visible


def test_scripts_read_limits_from_the_page(alice: User) -> None:
    shown = state_in(signed_in(alice).get("/").text)["limits"]

    assert shown == {"lines": limits.MAX_LINES, "named": limits.MAX_NAMED}


def test_the_composer_says_what_is_left_before_scripts_run(alice: User, settings: Any) -> None:
    line = re.compile(r'data-part="limits"([^>]*)>([^<]*)</p>')
    client, english = signed_in(alice), {"Accept-Language": "en"}

    def shown() -> tuple[list[str], str]:
        found = line.search(client.get("/", headers=english).text)
        assert found is not None
        return found[1].split(), found[2]

    assert shown() == (["hidden"], "")
    settings.LIMIT_PICTURES_PER_DAY = 3
    assert shown() == ([], "3 left today")
    settings.LIMIT_EFFORT = 1
    assert shown() == (["data-reached"], "Too large for one task")


def test_unfinished_tasks_come_first(alice: User, model: str, now: datetime) -> None:
    waiting = submit(alice, now, prompt="older but waiting")
    cancelled = submit(alice, now, prompt="newer but over")
    services.request_cancel(task_id=cancelled.pk, now=now)

    tasks = state_in(signed_in(alice).get("/").text)["tasks"]

    assert [task["id"] for task in tasks] == [str(waiting.pk), str(cancelled.pk)]


def test_task_page_shows_events(alice: User, model: str, worker: Worker, now: datetime) -> None:
    task = submit(alice, now, prompt="every event")
    claim = claim_one(worker, now)
    complete(claim, now)

    html = signed_in(alice, "en").get(f"/tasks/{task.pk}/").text

    assert "every event" in html
    for kind in ("submitted", "claimed", "step_began", "image_stored", "completed"):
        assert kind in html


def test_a_task_is_for_owner_and_staff(alice: User, bob: User, rita: User, now: datetime) -> None:
    path = f"/tasks/{submit(alice, now).pk}/"

    assert signed_in(alice).get(path).status_code == 200
    assert signed_in(rita).get(path).status_code == 200
    assert signed_in(bob).get(path).status_code == 404


def test_a_prompt_cannot_inject_markup(alice: User, now: datetime) -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    task = submit(alice, now, prompt=evil)

    for path in ("/", f"/tasks/{task.pk}/"):
        html = signed_in(alice).get(path).text
        assert "<script>alert" not in html
        assert "<img src=x" not in html


def test_pages_forbid_foreign_scripts_and_frames(alice: User) -> None:
    response = signed_in(alice).get("/")

    policy = response["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in response["Cache-Control"]
    assert not re.search(r"<script(?![^>]*(src=|application/json))", response.text)
    assert not re.search(r"\sstyle=", response.text)


def test_pages_name_their_language(alice: User) -> None:
    assert '<html lang="zh-hans"' in signed_in(alice).get("/").text.lower()
    assert '<html lang="en"' in signed_in(alice, "en").get("/").text.lower()


def test_the_catalogue_for_scripts_is_served_in_the_readers_language(alice: User) -> None:
    client = signed_in(alice)

    chinese = client.get("/i18n/catalog.js")
    english = client.get("/i18n/catalog.js", headers={"accept-language": "en"})

    assert chinese.status_code == english.status_code == 200
    assert chinese.text != english.text


def test_a_language_is_called_as_its_button_reads(alice: User) -> None:
    html = signed_in(alice).get("/").text

    buttons = re.findall(r'<button[^>]* name="language"([^>]*)>(.*?)</button>', html)
    assert {words for _attributes, words in buttons} == {"中文", "EN"}
    for attributes, words in buttons:
        name = re.search(r'aria-label="([^"]*)"', attributes)
        assert name is None or words in name[1]


def test_an_example_prompt_is_shown_once(alice: User, bob: User, model: str, now: datetime) -> None:
    def begins_with(person: User) -> tuple[str, str]:
        html = signed_in(person).get("/").text
        field = re.search(r'<textarea[^>]* name="prompt"[^>]*>(.*?)</textarea>', html)
        assert field is not None
        return state_in(html)["defaults"]["prompt"], field[1]

    assert begins_with(alice) == ("LiuJuan", "LiuJuan")

    task = submit(alice, now, prompt="my own words")

    assert begins_with(alice) == ("", "")
    assert begins_with(bob) == ("LiuJuan", "LiuJuan")
    type(task).objects.filter(pk=task.pk).update(deleted_at=now)
    assert begins_with(alice) == ("", "")


def test_the_first_run_is_explained(alice: User, model: str, now: datetime) -> None:
    assert "首次运行？" in Client(headers={"accept-language": "zh"}).get("/accounts/sign-in/").text

    submit(alice, now)

    assert "首次运行" not in Client().get("/accounts/sign-in/").text


@pytest.mark.parametrize("asked", ["stopped", "all", "<b>"])
def test_the_filter_in_the_address_is_the_one_that_is_shown(alice: User, asked: str) -> None:
    html = signed_in(alice).get("/", {"show": asked}).text

    pressed = re.findall(r'data-filter="(\w+)" aria-pressed="true"', html)
    assert pressed == ["stopped" if asked == "stopped" else "all"]
    section = re.search(r'<section class="task-list"[^>]*>', html)
    assert section is not None
    assert ('data-filter="stopped"' in section[0]) == (asked == "stopped")


def test_the_first_cards_are_those_of_the_filter(alice: User, model: str, now: datetime) -> None:
    stopped = submit(alice, now, prompt="cancelled long ago")
    services.request_cancel(task_id=stopped.pk, now=now)
    later = now + timedelta(minutes=1)
    for _task in range(3):
        submit(alice, later)

    html = signed_in(alice).get("/", {"show": "stopped"}).text

    assert re.findall(r'<article class="card" id="task-([^"]+)"', html) == [str(stopped.pk)]
