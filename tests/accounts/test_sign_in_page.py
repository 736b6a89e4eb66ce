"""The sign-in page: messages, log lines, redirects and sessions."""

from __future__ import annotations

import logging
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.sign_in import ACCOUNT_LIMIT
from tests.accounts.sign_in_attempts import GOOD, HERE, CountingHasher, statuses, tried, try_once

pytestmark = pytest.mark.django_db


def test_an_unknown_name_is_like_a_wrong_password(alice: User) -> None:
    CountingHasher.hashed = 0
    known = try_once("alice", "wrong", address="203.0.113.1")
    cost, CountingHasher.hashed = CountingHasher.hashed, 0
    unknown = try_once("nobody", "wrong", address="203.0.113.2")

    assert CountingHasher.hashed == cost == 1
    assert known.context["form"].errors == unknown.context["form"].errors
    assert known.status_code == unknown.status_code == 200


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", r"Too many attempts\. Wait \d+ seconds, then try again\."),
        ("zh-hans", r"尝试次数过多。请等待 \d+ 秒后再试。"),
    ],
)
def test_the_page_shows_how_long_to_wait(alice: User, language: str, sentence: str) -> None:
    tried(ACCOUNT_LIMIT, "alice", 12)
    statuses(1)

    answer = Client(REMOTE_ADDR=HERE, headers={"Accept-Language": language}).post(
        "/accounts/sign-in/", {"login": "alice", "password": GOOD}
    )

    assert answer.status_code == 429
    assert re.search(sentence, answer.content.decode())


def test_attempts_are_logged(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    forged = "x\nsign_in_ok account=root"
    with caplog.at_level(logging.INFO, logger="liujuan.security"):
        try_once("alice", GOOD)
        tried(ACCOUNT_LIMIT, forged, 12)
        statuses(2, forged)
    records = [record for record in caplog.records if record.name == "liujuan.security"]
    lines = [re.sub(r"wait=\d+$", "wait=…", record.getMessage()) for record in records]

    name = r'"x\nsign_in_ok account=root"'
    assert lines == [
        f"password_ok account=alice address={HERE}",
        f"sign_in_ok account=alice address={HERE} how=password",
        f"sign_in_refused account={name} address={HERE}",
        f"sign_in_throttled account={name} address={HERE} wait=…",
    ]
    assert not any("wrong" in line or GOOD in line for line in lines)


def test_the_admin_has_no_door_of_its_own(alice: User) -> None:
    door = Client().get("/admin/login/?next=/admin/auth/user/")
    posted = Client().post("/admin/login/", {"username": "alice", "password": GOOD})
    away = Client().get("/admin/login/?next=https://evil.example/")
    no_staff = Client()
    no_staff.force_login(alice)
    staff = Client()
    staff.force_login(User.objects.create_superuser("carol"))

    assert door.headers["Location"] == "/accounts/sign-in/?next=/admin/auth/user/"
    assert posted.headers["Location"] == "/accounts/sign-in/?next=/admin/"
    assert away.headers["Location"] == "/accounts/sign-in/?next=/admin/"
    assert no_staff.get("/admin/login/").status_code == 403
    assert staff.get("/admin/login/").headers["Location"] == "/admin/"


@pytest.mark.parametrize("url", ["/accounts/sign-out/", "/admin/logout/"])
def test_signing_out_leads_to_the_page_that_clears_drafts(alice: User, url: str) -> None:
    client = Client()
    client.force_login(alice)

    answer = client.post(f"{url}?next=/gallery/")

    assert answer.headers["Location"] == "/accounts/sign-in/?signed-out"
    assert client.get("/").status_code == 302


def test_sessions_of_earlier_versions_stay_signed_in(alice: User) -> None:
    client = Client()
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")

    assert client.get("/").status_code == 200
