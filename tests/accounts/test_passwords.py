"""Changing a password, and replacing a forgotten one, with and without mail."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.tokens import create_token
from generation.protocol import WebhookRequest
from generation.services import create_webhook, webhook_values
from tests.accounts.conftest import SignedIn
from tests.accounts.sign_in_attempts import GOOD

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "another good password"


def change(client: Client, old: str = GOOD, new: str = NEW, **fields: str) -> Any:
    form = {"oldpassword": old, "password1": new, "password2": new, **fields}
    return client.post("/accounts/password/change/", form)


def link_for(name: str) -> str:
    printed = StringIO()
    call_command("reset_link", name, stdout=printed)
    return urlsplit(printed.getvalue().strip()).path


def set_by(link: str, client: Client, **fields: str) -> Any:
    form = client.get(link, follow=True)
    if not form.redirect_chain:
        return form
    return client.post(form.redirect_chain[-1][0], {"password1": NEW, "password2": NEW, **fields})


def with_program(owner: User) -> None:
    """Give `owner` a token, a webhook that its program set, and one that the user set."""
    now = timezone.now()
    create_token(owner=owner, name="robot", now=now)
    values = webhook_values(WebhookRequest(url="https://hooks.example/"))
    create_webhook(owner=owner, values=values, now=now, token=owner.tokens.get())
    create_webhook(owner=owner, values=values, now=now)


def programs_of(owner: User) -> tuple[int, int]:
    """How many tokens and webhooks."""
    return owner.tokens.count(), owner.webhooks.count()


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


def test_a_reset_signs_out_programs(
    alice: User, settings: Any, reported: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    settings.ACCOUNT_EMAIL_NOTIFICATIONS = True
    User.objects.filter(pk=alice.pk).update(email="alice@example.org")
    with_program(alice)

    with caplog.at_level(logging.INFO, logger="liujuan.security"):
        done = set_by(link_for("alice"), Client(headers={"Accept-Language": "en"}))

    assert programs_of(alice) == (0, 1)
    assert alice.pk in reported
    assert "token_revoked account=alice address=127.0.0.1 name=robot" in caplog.messages
    assert done["Location"] == "/accounts/password/reset/key/done/"
    notice, replaced = (str(each.body) for each in mail.outbox)
    assert "- robot" in notice
    assert "robot" not in replaced


def test_a_reset_keeps_programs_that_the_user_wants_to_keep(alice: User) -> None:
    with_program(alice)
    link, client = link_for("alice"), Client()

    assert 'name="keep_programs"' in client.get(link, follow=True).text
    set_by(link, client, keep_programs="on")
    assert programs_of(alice) == (1, 2)
    assert mail.outbox == []


@pytest.mark.parametrize(
    ("language", "sentence"), [("en", "stay signed in"), ("zh-hans", "仍保持登录")]
)
def test_a_mail_names_the_programs_that_a_reset_keeps(
    alice: User, settings: Any, language: str, sentence: str
) -> None:
    settings.ACCOUNT_EMAIL_NOTIFICATIONS = True
    User.objects.filter(pk=alice.pk).update(email="alice@example.org")
    with_program(alice)
    expired = timezone.now() - timedelta(days=1)
    create_token(owner=alice, name="old", now=expired, expires_at=expired)

    client = Client(headers={"Accept-Language": language})
    done = set_by(link_for("alice"), client, keep_programs="on")

    notice, replaced = (str(each.body) for each in mail.outbox)
    assert sentence in notice
    assert "- robot" in notice
    assert "- old" not in notice
    assert "robot" not in replaced
    assert sentence in client.get(done["Location"]).text


def test_a_changed_password_signs_out_programs_only_on_request(
    alice: User, signed_in: SignedIn
) -> None:
    with_program(alice)
    client = signed_in("alice")

    change(client)
    assert programs_of(alice) == (1, 2)
    assert change(client, old="wrong", revoke_programs="on").status_code == 200
    assert programs_of(alice) == (1, 2)
    page = client.get("/accounts/password/change/").text
    assert 'name="revoke_programs"' in page
    assert "checked" not in page.partition('name="revoke_programs"')[2].partition(">")[0]
    change(client, old=NEW, new=GOOD, revoke_programs="on")
    assert programs_of(alice) == (0, 1)
    assert 'name="revoke_programs"' not in client.get("/accounts/password/change/").text


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
