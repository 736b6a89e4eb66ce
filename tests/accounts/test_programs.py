"""Tokens that users create, see once, and revoke."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import ApiToken, TokenScope
from accounts.tokens import MAX_TOKENS_OF_USER, TooManyTokens, create_token
from tests.accounts.conftest import SignedIn
from tests.accounts.sign_in_attempts import GOOD
from tests.concurrency import at_once

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/accounts/programs/"
TOKEN = re.compile(r'id="new-token" value="(lj-[\w-]+)"')


def confirmed(client: Client) -> Client:
    assert client.post("/accounts/reauthenticate/", {"password": GOOD}).status_code == 302
    return client


def create(client: Client, name: str = "robot", scope: str = "write", days: str = "30") -> Any:
    return client.post(f"{PAGE}new/", {"name": name, "scope": scope, "days": days})


def shown(client: Client) -> str:
    """The text of a token that was just created."""
    found = TOKEN.search(client.get(PAGE).text)
    assert found is not None
    return found.group(1)


def status_of(token: str, path: str = "/api/v1/tasks") -> int:
    return Client().get(path, headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_token_is_shown_once(alice: User, signed_in: SignedIn) -> None:
    client = confirmed(signed_in("alice"))
    answer = create(client)
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    stored = Session.objects.get(pk=client.session.session_key).get_decoded()

    page = client.get(PAGE)
    found = TOKEN.search(page.text)

    assert found is not None
    assert found.group(1) not in str(stored)
    assert "no-store" in page["Cache-Control"]
    assert found.group(1) not in client.get(PAGE).text
    assert ApiToken.objects.get().owner == alice


@pytest.mark.parametrize(
    ("scope", "days", "lifetime"),
    [("read", "7", 7), ("write", "30", 30), ("write", "90", 90), ("read", "365", 365)],
)
def test_a_token_has_a_scope_and_an_end(
    alice: User, signed_in: SignedIn, scope: str, days: str, lifetime: int
) -> None:
    client = confirmed(signed_in("alice"))
    before = timezone.now()
    create(client, "  my\u3000robot ", scope, days)

    token = ApiToken.objects.get()
    assert (token.name, token.scope) == ("my robot", scope)
    assert token.expires_at is not None
    assert before <= token.expires_at - timedelta(days=lifetime) <= timezone.now()
    assert status_of(shown(client), "/api/v1/me") == 200


def test_a_token_may_have_no_end(alice: User, signed_in: SignedIn) -> None:
    create(confirmed(signed_in("alice")), days="")

    assert ApiToken.objects.get().expires_at is None


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "\u200b\u3164"},
        {"name": "a\u202eb"},
        {"name": "x" * 101},
        {"scope": "admin"},
        {"days": "0"},
        {"days": "100000"},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(
    alice: User, signed_in: SignedIn, fields: dict[str, str]
) -> None:
    answer = create(confirmed(signed_in("alice")), **fields)

    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert not ApiToken.objects.exists()


def test_the_password_is_asked_for_before_a_token_is_made(alice: User, signed_in: SignedIn) -> None:
    client = signed_in("alice")

    assert client.get(f"{PAGE}new/")["Location"].startswith("/accounts/reauthenticate/")
    assert create(client)["Location"].startswith("/accounts/reauthenticate/")
    assert not ApiToken.objects.exists()


def test_the_number_of_tokens_is_bounded(alice: User, signed_in: SignedIn) -> None:
    client, now = confirmed(signed_in("alice")), timezone.now()
    for number in range(MAX_TOKENS_OF_USER):
        create_token(owner=alice, name=str(number), now=now)

    answer = create(client)

    assert str(MAX_TOKENS_OF_USER) in next(str(each) for each in answer.context["messages"])
    assert ApiToken.objects.count() == MAX_TOKENS_OF_USER
    assert TOKEN.search(client.get(PAGE).text) is None


def test_tokens_made_at_once_do_not_pass_the_bound(alice: User) -> None:
    now = timezone.now()
    rows = [ApiToken(digest=str(n), owner=alice, created=now) for n in range(MAX_TOKENS_OF_USER)]
    ApiToken.objects.bulk_create(rows[2:])

    def make() -> bool:
        try:
            create_token(owner=alice, name="robot", now=now)
        except TooManyTokens:
            return False
        return True

    assert sorted(at_once(*[make] * 5)) == [False, False, False, True, True]
    assert alice.tokens.count() == MAX_TOKENS_OF_USER


def test_tokens_of_others_are_neither_shown_nor_revoked(
    alice: User, signed_in: SignedIn, caplog: pytest.LogCaptureFixture
) -> None:
    bob = User.objects.create_user("bob", password=GOOD)
    now = timezone.now()
    token = create_token(owner=bob, name="of bob", now=now, scope=TokenScope.READ)
    row = ApiToken.objects.get()
    client = signed_in("alice")

    assert "of bob" not in client.get(PAGE).text
    others, nobodys = (
        client.post(f"{PAGE}{number}/revoke/", follow=True) for number in (row.pk, row.pk + 1)
    )
    assert others.text.count("account__message") == nobodys.text.count("account__message") == 1
    assert others.redirect_chain == nobodys.redirect_chain == [(PAGE, 302)]
    assert status_of(token, "/api/v1/me") == 200

    with caplog.at_level(logging.INFO, logger="liujuan.security"):
        signed_in("bob").post(f"{PAGE}{row.pk}/revoke/")
    assert status_of(token, "/api/v1/me") == 401
    assert 'token_revoked account=bob address=127.0.0.1 name="of bob"' in caplog.messages


def test_last_use_and_expiry_are_shown(alice: User, signed_in: SignedIn) -> None:
    now = timezone.now()
    used = create_token(owner=alice, name="used", now=now)
    create_token(owner=alice, name="old", now=now, expires_at=now - timedelta(days=1))
    assert status_of(used, "/api/v1/me") == 200

    rows = signed_in("alice").get(PAGE).text.split("account__row")[1:]

    assert ["从未使用" in row for row in rows] == [True, False]
    assert ["已过期" in row for row in rows] == [True, False]


def test_the_page_names_the_addresses_of_programs(
    alice: User, signed_in: SignedIn, settings: Settings
) -> None:
    client = signed_in("alice")
    page = client.get(PAGE).text

    for address in ("v1", "mcp"):
        assert f"<code>http://testserver/{address}</code>" in page
    assert 'href="/api/v1/docs"' in page
    settings.MCP = False
    assert "/mcp<" not in client.get(PAGE).text
