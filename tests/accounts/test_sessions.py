"""Where a user is signed in, and ending that."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.auth.models import User
from django.test import Client

from accounts.user_agents import browser_of
from tests.accounts.conftest import SignedIn
from tests.accounts.sign_in_attempts import GOOD

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/accounts/sessions/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1"
)


def row_of(client: Client) -> UserSession:
    return UserSession.objects.get(session_key=client.session.session_key)


def is_signed_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def test_one_session_is_ended_from_another(
    alice: User, signed_in: SignedIn, reported: list[int]
) -> None:
    desk = signed_in("alice", **{"User-Agent": FIREFOX})
    phone = signed_in("alice", **{"User-Agent": PHONE})
    tablet = signed_in("alice")
    page = desk.get(PAGE).text
    assert "Firefox · Linux" in page
    assert "Safari · iPhone" in page

    reported.clear()
    desk.post(PAGE, {"session": row_of(phone).pk})

    assert [is_signed_in(each) for each in (desk, phone, tablet)] == [True, False, True]
    assert reported == [alice.pk]


def test_all_other_sessions_are_ended(
    alice: User, signed_in: SignedIn, reported: list[int]
) -> None:
    here, *others = [signed_in("alice") for _each in range(3)]
    reported.clear()
    here.post(PAGE)

    assert is_signed_in(here)
    assert not any(map(is_signed_in, others))
    assert reported == [alice.pk] * 2


def test_sessions_of_others_are_neither_shown_nor_ended(alice: User, signed_in: SignedIn) -> None:
    User.objects.create_user("bob", password=GOOD)
    mine, theirs = signed_in("alice"), signed_in("bob", **{"User-Agent": FIREFOX})

    assert "Firefox" not in mine.get(PAGE).text
    for number in (str(row_of(theirs).pk), "x", "-1", "9" * 30):
        assert mine.post(PAGE, {"session": number}).status_code == 302
    assert is_signed_in(theirs)
    assert is_signed_in(mine)


@pytest.mark.parametrize(("proxies", "address"), [(0, "198.51.100.7"), (1, "203.0.113.9")])
def test_the_address_is_that_of_the_limits(
    alice: User, settings: Any, proxies: int, address: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    client = Client(REMOTE_ADDR="198.51.100.7", headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.9"})
    client.post("/accounts/sign-in/", {"login": "alice", "password": GOOD})

    assert UserSession.objects.get().ip == address


def test_the_peer_of_a_unix_socket_can_sign_in(alice: User) -> None:
    client = Client(REMOTE_ADDR="")
    client.post("/accounts/sign-in/", {"login": "alice", "password": GOOD})

    assert is_signed_in(client)


@pytest.mark.parametrize(
    ("sent", "shown"), [(FIREFOX, "Firefox · Linux"), ("curl/8.5", "curl/8.5"), ("", "未知浏览器")]
)
def test_browsers_have_names(sent: str, shown: str) -> None:
    assert browser_of(sent) == shown


def test_sessions_from_before_the_list_are_listed(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    assert not UserSession.objects.exists()

    import_module("accounts.migrations.0004_list_sessions").list_sessions(apps, None)

    session = UserSession.objects.get()
    assert (session.user, session.session_key) == (alice, client.session.session_key)
