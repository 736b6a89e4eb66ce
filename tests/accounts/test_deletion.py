"""The pages on which a user deletes the account, and takes that back."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.test import Client, override_settings
from django.utils.formats import date_format

from accounts.models import AccountDeletion
from accounts.tokens import create_token
from generation.error_codes import ErrorCode
from tests.accounts.conftest import SignedIn
from tests.accounts.sign_in_attempts import GOOD, confirm
from tests.factories import finished_task, submit

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/accounts/data/delete/"
KEEP = "/accounts/data/keep/"


def test_the_page_says_what_will_be_gone_and_asks_again(
    media: Path, alice: User, signed_in: SignedIn, now: datetime
) -> None:
    finished_task(alice, now, pictures=3)
    submit(alice, now)
    create_token(owner=alice, name="", now=now)
    client = signed_in("alice")

    assert client.get(PAGE)["Location"].startswith("/accounts/reauthenticate/?next=")
    client.post(PAGE)
    assert not AccountDeletion.objects.exists()

    confirm(client)
    owned = client.get(PAGE).context["owned"]
    assert (owned.tasks, owned.unfinished, owned.pictures, owned.tokens) == (2, 1, 3, 1)


def test_every_page_offers_to_keep_the_account(
    alice: User, signed_in: SignedIn, reported: list[int]
) -> None:
    client = signed_in("alice")
    confirm(client)
    reported.clear()
    answer = client.post(PAGE, follow=True)
    assert answer.redirect_chain == [("/accounts/data/", 302)]
    assert reported == [alice.pk]

    again = Client()
    page = again.post("/accounts/sign-in/", {"login": "alice", "password": GOOD}, follow=True)
    for text in (page.text, again.get("/gallery/").text, again.get("/accounts/data/").text):
        assert f'action="{KEEP}"' in text
    assert again.get(KEEP).status_code == 405
    again.post(KEEP)
    assert f'action="{KEEP}"' not in again.get("/gallery/").text
    assert not AccountDeletion.objects.exists()


def test_the_owner_gets_a_mail(
    alice: User, signed_in: SignedIn, mailoutbox: list[EmailMessage]
) -> None:
    EmailAddress.objects.create(user=alice, email="alice@example.org", verified=True, primary=True)
    client = signed_in("alice")
    confirm(client)

    with override_settings(ACCOUNT_EMAIL_NOTIFICATIONS=True):
        client.post(PAGE, headers={"Accept-Language": "en"})

    assert mailoutbox[0].subject.endswith("Your account will be deleted")
    assert f"deleted on {due_of(alice)}" in mailoutbox[0].body


def due_of(user: User) -> str:
    return date_format(AccountDeletion.objects.get(user=user).due_at, "DATETIME_FORMAT")


def test_the_last_superuser_gets_the_reason(signed_in: SignedIn) -> None:
    User.objects.create_superuser("root", password=GOOD)
    client = signed_in("root")
    confirm(client)
    refused = client.post(PAGE)
    assert refused.status_code == 409
    assert str(ErrorCode.LAST_SUPERUSER.label) in refused.text
    assert not AccountDeletion.objects.exists()
