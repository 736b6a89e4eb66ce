"""Changing a password, and replacing a forgotten one, with and without mail."""

from __future__ import annotations

import logging
import re
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client

from tests.accounts.conftest import SignedIn
from tests.accounts.sign_in_attempts import GOOD

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "another good password"


def change(client: Client, old: str = GOOD, new: str = NEW) -> Any:
    form = {"oldpassword": old, "password1": new, "password2": new}
    return client.post("/accounts/password/change/", form)


def link_for(name: str) -> str:
    printed = StringIO()
    call_command("reset_link", name, stdout=printed)
    return urlsplit(printed.getvalue().strip()).path


def set_by(link: str, client: Client) -> Any:
    form = client.get(link, follow=True)
    if not form.redirect_chain:
        return form
    return client.post(form.redirect_chain[-1][0], {"password1": NEW, "password2": NEW})


def test_a_changed_password_ends_every_other_session(
    alice: User, signed_in: SignedIn, reported: list[int]
) -> None:
    here, elsewhere = signed_in("alice"), signed_in("alice")
    answer = change(here)

    assert answer.status_code == 302
    assert here.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302
    assert alice.pk in reported


def test_a_weak_or_wrong_password_changes_nothing(alice: User, signed_in: SignedIn) -> None:
    client = signed_in("alice")

    assert change(client, new="12345678").status_code == 200
    assert change(client, old="wrong").status_code == 200
    signed_in("alice")


def test_a_reset_link_works_once(
    alice: User, signed_in: SignedIn, reported: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    session = signed_in("alice")
    with caplog.at_level(logging.INFO, logger="liujuan.security"):
        link = link_for("alice")
        first, second = set_by(link, Client()), set_by(link, Client())

    assert first["Location"] == "/accounts/password/reset/key/done/"
    assert second.status_code == 200
    assert second.context["token_fail"]
    assert session.get("/").status_code == 302
    assert alice.pk in reported
    assert "reset_link_made account=alice address=-" in caplog.text
    assert "password_reset account=alice" in caplog.text
    signed_in("alice", NEW)


def test_the_command_names_no_disabled_or_missing_account(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    with pytest.raises(CommandError, match="disabled"):
        link_for("alice")
    with pytest.raises(CommandError, match="no account named bob"):
        link_for("bob")


def test_without_mail_the_page_says_what_to_do(alice: User) -> None:
    page = Client(headers={"Accept-Language": "en"}).get("/accounts/password/reset/")
    posted = Client().post("/accounts/password/reset/", {"email": "alice@example.org"})

    assert "manage.py reset_link" in page.text
    assert "<input" not in page.text.partition("<main")[2]
    assert posted.status_code == 200
    assert mail.outbox == []


def test_with_mail_a_link_comes_to_the_confirmed_address(
    alice: User, settings: Any, signed_in: SignedIn
) -> None:
    settings.EMAIL_URL = "smtp://mail.example?from=a@mail.example"
    settings.SITE_URLS = ["https://studio.example/"]
    EmailAddress.objects.create(user=alice, email="alice@example.org", verified=True, primary=True)
    client = Client(headers={"Host": "localhost"})

    asked = client.post("/accounts/password/reset/", {"email": "alice@example.org"})
    unknown = Client().post("/accounts/password/reset/", {"email": "bob@example.org"})

    assert asked["Location"] == unknown["Location"] == "/accounts/password/reset/done/"
    (letter,) = [each for each in mail.outbox if each.to == ["alice@example.org"]]
    link = re.search(r"https://studio\.example(/accounts/password/reset/key/\S+)", str(letter.body))
    assert link, letter.body
    assert "localhost" not in link[0]
    assert set_by(link[1], Client())["Location"] == "/accounts/password/reset/key/done/"
    signed_in("alice", NEW)


@pytest.mark.parametrize("address", ["alice@example.org", "bob@example.org"])
def test_a_mail_server_that_is_away_is_no_error_and_no_promise(
    alice: User, settings: Any, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_URL = "smtp://127.0.0.1:1?from=a@mail.example"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    EmailAddress.objects.create(user=alice, email="alice@example.org", verified=True, primary=True)

    answer = Client().post("/accounts/password/reset/", {"email": address})

    assert answer.status_code == 503
    assert "account/mail_failed.html" in [each.name for each in answer.templates]
    assert "mail_failed cause=" in caplog.text
