"""A webhook whose address a token set ends with that token."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.models import ApiToken
from accounts.tokens import create_token, revoke_token
from generation import services
from generation.models import WebhookCursor, WebhookEndpoint, Worker
from generation.protocol import WebhookRequest
from tests.factories import submit
from tests.webhooks.message_runs import claim, finished

pytestmark = pytest.mark.django_db
URL = "https://hooks.example/studio"


@pytest.fixture
def token(alice: User, now: datetime) -> ApiToken:
    create_token(owner=alice, name="robot", now=now, expires_at=now + timedelta(days=9))
    return ApiToken.objects.get()


@pytest.fixture
def theirs(alice: User, token: ApiToken, now: datetime) -> WebhookEndpoint:
    values = services.webhook_values(WebhookRequest(url=URL))
    return services.create_webhook(owner=alice, values=values, now=now, token=token).endpoint


def revoke(owner: User, token: ApiToken) -> None:
    assert revoke_token(owner=owner, number=token.pk, address="192.0.2.7") is not None


def test_it_is_deleted_with_its_token_and_others_stay(
    alice: User,
    token: ApiToken,
    theirs: WebhookEndpoint,
    hook: WebhookEndpoint,
    model: str,
    now: datetime,
) -> None:
    submit(alice, now)
    assert WebhookCursor.objects.count() == 2

    revoke(alice, token)

    assert list(WebhookEndpoint.objects.all()) == [hook]
    assert [each.endpoint for each in WebhookCursor.objects.all()] == [hook]


def test_it_belongs_to_the_token_that_changed_its_address(
    alice: User, token: ApiToken, hook: WebhookEndpoint, now: datetime
) -> None:
    def change(**changes: object) -> WebhookEndpoint:
        return services.change_webhook(
            owner=alice, webhook_id=hook.pk, changes=changes, token=token
        )

    assert change(enabled=False).token is None
    assert change(url=URL).token == token
    revoke(alice, token)
    assert not WebhookEndpoint.objects.exists()


def test_it_receives_nothing_once_its_token_has_expired(
    alice: User,
    token: ApiToken,
    theirs: WebhookEndpoint,
    worker: Worker,
    model: str,
    media: None,
    now: datetime,
) -> None:
    finished(alice, worker, now)
    late = now + timedelta(days=9)
    assert claim(late) == []
    submit(alice, late)
    assert WebhookCursor.objects.count() == 1

    (message,) = claim(now)
    assert message.url == URL


def test_a_superuser_deletes_a_token_with_its_webhooks(
    token: ApiToken, theirs: WebhookEndpoint
) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))

    answer = client.post(f"/admin/accounts/apitoken/{token.pk}/delete/", {"post": "yes"})

    assert answer.status_code == 302
    assert not WebhookEndpoint.objects.exists()


def test_each_change_is_in_the_security_log(
    alice: User, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    values = services.webhook_values(WebhookRequest(url=f"{URL}?key=hidden"))
    with caplog.at_level(logging.INFO, logger="liujuan.security"):
        hook = services.create_webhook(owner=alice, values=values, now=now, address="::1").endpoint
        services.change_webhook(owner=alice, webhook_id=hook.pk, changes={"enabled": False})
        services.delete_webhook(owner=alice, webhook_id=hook.pk, address="::1")

    assert caplog.messages == [
        f"webhook_made account=alice address=::1 url={URL}",
        f"webhook_changed account=alice address=- url={URL}",
        f"webhook_deleted account=alice address=::1 url={URL}",
    ]
