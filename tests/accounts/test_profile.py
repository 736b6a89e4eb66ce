"""Name, language, theme and time zone of a user, in every browser."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Profile
from accounts.profiles import full_name, shown_name
from accounts.tokens import create_token
from tests.accounts.conftest import SignedIn

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/accounts/profile/"
SIGN_IN = "/accounts/sign-in/"
LANGUAGE = {"Accept-Language": "zh-hans"}


def save(client: Client, **fields: str) -> Any:
    empty = dict.fromkeys(("shown_name", "language", "theme", "time_zone"), "")
    return client.post(PAGE, empty | fields)


def html_tag(client: Client, path: str = PAGE) -> str:
    text = client.get(path).text
    return text[text.index("<html") : text.index("<head")]


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Mei", "Mei"),
        ("  梅\u3000 兰\n竹 ", "梅 兰 竹"),
        (unicodedata.normalize("NFD", "Zoë Ångström"), "Zoë Ångström"),
        ("\U0001f469\u200d\U0001f3a8 mei", "\U0001f469\u200d\U0001f3a8 mei"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("x" * 80, "x" * 80),
        ("   ", ""),
        ("\u3164\u2800", ""),
    ],
)
def test_a_name_is_one_line_in_normal_form(
    alice: User, signed_in: SignedIn, typed: str, stored: str
) -> None:
    assert save(signed_in("alice"), shown_name=typed).status_code == 302

    assert Profile.objects.get().shown_name == stored


@pytest.mark.parametrize(
    "typed",
    ["a\u202eb", "a\u2066b", "a\u200bb", "\u200dab", "a \u200db", "a\x00b", "a\x1bb", "x" * 81],
    ids=ascii,
)
def test_a_name_with_hidden_characters_is_refused(
    alice: User, signed_in: SignedIn, typed: str
) -> None:
    answer = save(signed_in("alice"), shown_name=typed)

    assert list(answer.context["form"].errors) == ["shown_name"]
    assert not Profile.objects.exists()


def test_the_name_is_shown_in_the_menu_and_to_staff(alice: User, signed_in: SignedIn) -> None:
    User.objects.create_superuser("root", password="x")
    create_token(owner=alice, name="robot", now=datetime.now(UTC))
    client = signed_in("alice")
    save(client, shown_name="<b>Mei</b>")

    assert "<b>&lt;b&gt;Mei&lt;/b&gt;</b>" in client.get("/gallery/").text
    staff = Client()
    staff.force_login(User.objects.get(username="root"))
    for page in ("/admin/auth/user/?q=Mei", "/admin/accounts/apitoken/"):
        assert "&lt;b&gt;Mei&lt;/b&gt;" in staff.get(page).text
    alice = User.objects.get(username="alice")
    assert (shown_name(alice), full_name(alice)) == ("<b>Mei</b>", "<b>Mei</b> (alice)")


def test_a_language_follows_the_user_to_another_browser(alice: User, signed_in: SignedIn) -> None:
    here, there = signed_in("alice", **LANGUAGE), signed_in("alice", **LANGUAGE)
    assert 'lang="zh-hans"' in html_tag(here)

    here.post("/i18n/setlang/", {"language": "en", "next": "/"})

    for client in (here, there):
        assert 'lang="en"' in html_tag(client)
        # also after the sign-out, and for the scripts' sentences
        assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "en"
        client.post("/accounts/sign-out/")
        assert 'lang="en"' in html_tag(client, SIGN_IN)


def test_the_browser_decides_again_when_no_language_is_chosen(
    alice: User, signed_in: SignedIn
) -> None:
    client = signed_in("alice", **LANGUAGE)
    save(client, language="en")
    assert 'lang="en"' in html_tag(client)

    save(client, language="")

    assert 'lang="zh-hans"' in html_tag(client)


def test_a_language_that_is_chosen_before_the_sign_in_stays_in_the_browser(alice: User) -> None:
    client = Client(headers=LANGUAGE)
    client.post("/i18n/setlang/", {"language": "en", "next": "/"})
    client.post("/i18n/setlang/", {"language": "xx", "next": "/"})

    assert 'lang="en"' in html_tag(client, SIGN_IN)
    assert not Profile.objects.exists()


def test_a_theme_is_in_the_page_of_every_browser(alice: User, signed_in: SignedIn) -> None:
    here, there = signed_in("alice"), signed_in("alice")
    assert "data-theme=" not in html_tag(here)

    assert here.post("/accounts/theme/", {"theme": "dark"}).status_code == 204
    assert here.post("/accounts/theme/", {"theme": "pink"}).status_code == 400

    assert 'data-theme="dark"' in html_tag(here)
    assert 'data-theme="dark"' in html_tag(there, "/gallery/")
    assert "data-theme" not in html_tag(Client(), SIGN_IN)
    assert Client().post("/accounts/theme/", {"theme": "dark"}).status_code == 302


def test_times_are_shown_in_the_users_zone(alice: User, signed_in: SignedIn) -> None:
    now = datetime(2026, 3, 1, 20, 30, tzinfo=UTC)
    create_token(owner=alice, name="robot", now=now, expires_at=now + timedelta(days=9_999))
    User.objects.create_user("bob", password="a good password")
    create_token(owner=User.objects.get(username="bob"), name="robot", now=now)
    client, other = (signed_in(name, **{"Accept-Language": "en"}) for name in ("alice", "bob"))

    save(client, time_zone="Asia/Shanghai")

    assert 'data-zone="Asia/Shanghai"' in html_tag(client)
    assert "made March 2, 2026" in " ".join(client.get("/accounts/programs/").text.split())
    assert "made March 1, 2026" in " ".join(other.get("/accounts/programs/").text.split())


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "posix/UTC", "localtime"])
def test_a_zone_must_be_known(alice: User, signed_in: SignedIn, zone: str) -> None:
    answer = save(signed_in("alice"), time_zone=zone)

    assert list(answer.context["form"].errors) == ["time_zone"]


def test_a_zone_that_is_no_longer_known_is_that_of_the_installation(
    alice: User, signed_in: SignedIn
) -> None:
    Profile.objects.create(user=alice, time_zone="Asia/Lost")

    assert signed_in("alice").get(PAGE).status_code == 200


def test_the_database_refuses_other_values(alice: User) -> None:
    with pytest.raises(IntegrityError):
        Profile.objects.create(user=alice, theme="pink")
    with pytest.raises(IntegrityError):
        Profile.objects.create(user=alice, language="xx")


def test_a_profile_costs_no_query(alice: User, signed_in: SignedIn) -> None:
    client = signed_in("alice")
    with CaptureQueriesContext(connection) as without:
        client.get("/accounts/")
    save(client, shown_name="Mei", language="en", theme="dark", time_zone="Asia/Tokyo")
    with CaptureQueriesContext(connection) as with_profile:
        client.get("/accounts/")

    assert len(with_profile) == len(without) == 2  # session, user
