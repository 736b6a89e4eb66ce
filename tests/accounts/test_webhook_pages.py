"""Webhooks that users create on their pages, try, and delete."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.tokens import create_token
from generation import limits, services
from generation.choices import WebhookOutcome
from generation.models import WebhookEndpoint
from tests.accounts.conftest import SignedIn
from tests.accounts.sign_in_attempts import GOOD

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/accounts/webhooks/"
URL = "https://hooks.example/studio"
SECRET = re.compile(r'id="new-secret" value="(whsec_[\w+/=]+)"')


@pytest.fixture
def client(alice: User, signed_in: SignedIn) -> Client:
    client = signed_in("alice")
    assert client.post("/accounts/reauthenticate/", {"password": GOOD}).status_code == 302
    return client


def create(client: Client, url: str = URL, *events: str) -> Any:
    return client.post(f"{PAGE}new/", {"url": url, "events": events})


def test_a_secret_is_shown_once(client: Client) -> None:
    answer = create(client, URL, "task.claimed")
    stored = Session.objects.get(pk=client.session.session_key).get_decoded()
    page = client.get(answer["Location"])
    found = SECRET.search(page.text)

    assert found is not None
    assert found[1] not in str(stored)
    assert "no-store" in page["Cache-Control"]
    assert found[1] not in client.get(answer["Location"]).text
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.url, endpoint.events) == (URL, "claimed")
    assert URL in client.get(PAGE).text


def test_the_password_is_asked_for_first(alice: User, signed_in: SignedIn) -> None:
    client = signed_in("alice")

    assert client.get(f"{PAGE}new/")["Location"].startswith("/accounts/reauthenticate/")
    create(client)
    assert not WebhookEndpoint.objects.exists()
    edited = client.post(f"{PAGE}{uuid4()}/edit/", {"url": URL})
    assert edited["Location"].startswith("/accounts/reauthenticate/")


@pytest.mark.parametrize("url", ["", "hooks", "http://hooks.example/", "https://10.0.0.1/"])
def test_an_address_that_cannot_receive_is_refused_in_the_form(client: Client, url: str) -> None:
    page = create(client, url)

    assert page.status_code == 200
    assert "field-error" in page.text
    assert not WebhookEndpoint.objects.exists()


def test_the_form_says_that_there_are_too_many(client: Client) -> None:
    for _ in range(limits.MAX_WEBHOOKS):
        assert create(client).status_code == 302

    assert "field-error" in create(client).text


def test_a_webhook_is_tried_turned_off_and_on_and_deleted(client: Client, alice: User) -> None:
    page = create(client)["Location"]
    endpoint = WebhookEndpoint.objects.get()

    assert client.post(f"{page}test/")["Location"] == page
    assert 'data-deliveries="waiting"' in client.get(page).text
    (message,) = services.claim_messages(running={}, per_owner=4, most=4, now=timezone.now())
    # the page goes on asking while it is being sent
    assert 'data-deliveries="waiting"' in client.get(page).text
    services.record_message(
        message,
        outcome=WebhookOutcome.REFUSED,
        status=500,
        seconds=0.25,
        excerpt="<b>no</b>",
        now=timezone.now(),
    )
    text = client.get(page).text
    assert "HTTP 500" in text
    assert "&lt;b&gt;no" in text
    attempt = endpoint.attempts.get()
    assert client.post(f"{page}deliveries/{attempt.pk}/resend/")["Location"] == page
    assert endpoint.attempts.count() == 2

    client.post(f"{page}switch/")
    endpoint.refresh_from_db()
    assert not endpoint.enabled
    client.post(f"{page}switch/", {"on": "1"})
    endpoint.refresh_from_db()
    assert endpoint.enabled

    assert client.post(f"{page}delete/")["Location"] == PAGE
    assert client.get(page).status_code == 404


def test_the_address_and_the_events_are_edited_and_the_secret_stays(client: Client) -> None:
    page = create(client, URL, "task.claimed")["Location"]
    before = WebhookEndpoint.objects.get()
    form = client.get(f"{page}edit/")
    assert f'value="{URL}"' in form.text
    assert form.context["form"]["events"].value() == ["task.claimed"]

    for refused in ("http://hooks.example/", "https://10.0.0.1/", ""):
        answer = client.post(f"{page}edit/", {"url": refused})
        assert "field-error" in answer.text
    assert client.post(f"{page}edit/", {"url": f"{URL}/2"})["Location"] == page

    after = WebhookEndpoint.objects.get()
    assert (after.url, after.events, after.secret) == (f"{URL}/2", "", before.secret)


def test_a_webhook_of_a_program_is_its_own_until_the_address_is_edited(
    client: Client, alice: User
) -> None:
    page = create(client)["Location"]
    create_token(owner=alice, name="robot", now=timezone.now())
    WebhookEndpoint.objects.update(token=alice.tokens.get())

    client.post(f"{page}edit/", {"url": URL, "events": ["task.claimed"]})
    assert WebhookEndpoint.objects.get().token == alice.tokens.get()
    client.post(f"{page}edit/", {"url": f"{URL}/2"})
    assert WebhookEndpoint.objects.get().token is None


def test_the_page_says_that_it_was_turned_off(client: Client) -> None:
    page = create(client)["Location"]
    WebhookEndpoint.objects.update(enabled=False, off_at=timezone.now() - timedelta(days=1))

    assert 'data-level="error"' in client.get(page).text


def test_the_page_names_the_program_it_belongs_to(client: Client, alice: User) -> None:
    page = create(client)["Location"]
    now = timezone.now()
    create_token(owner=alice, name="<robot>", now=now, expires_at=now + timedelta(days=1))
    WebhookEndpoint.objects.update(token=alice.tokens.get())
    english = {"Accept-Language": "en"}

    text = client.get(page, headers=english).text
    assert "the program &lt;robot&gt;, and is deleted with it" in text
    assert "has expired" not in text
    alice.tokens.update(expires_at=now)
    assert "off, because its program has expired" in client.get(page, headers=english).text


def test_older_deliveries_are_on_further_pages(client: Client) -> None:
    page = create(client)["Location"]
    endpoint = WebhookEndpoint.objects.get()
    for _ in range(31):
        endpoint.attempts.create(kind="test", created=timezone.now(), started_at=timezone.now())

    found = re.search(r"\?before=\d+", client.get(page).text)
    assert found is not None
    assert client.get(f"{page}{found[0]}").text.count("account__row") == 1
    assert client.get(f"{page}?before=x").text.count("account__row") == 30
