"""Concurrent workers and requests: nothing is sent twice, no limit is passed."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from threading import Thread

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from generation import limits, services
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput
from generation.models import GenerationTask, WebhookEndpoint, Worker
from generation.protocol import WebhookRequest
from tests.concurrency import at_once
from tests.conftest import serve_model
from tests.factories import claim_one, complete, submit
from tests.webhooks.hooks import new_hook

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("allow_loopback")]


def test_workers_that_ask_at_once_get_different_messages(
    alice: User, worker: Worker, media: None, now: datetime
) -> None:
    serve_model(now=now, slots=1)
    hook = new_hook(alice, now)
    for _ in range(6):
        submit(alice, now)
        complete(claim_one(worker, now), now)
    services.request_test(owner=alice, webhook_id=hook.pk, now=now)
    claim = partial(services.claim_messages, running={}, per_owner=9, most=9, now=now)

    found = [message.id for messages in at_once(*[claim] * 4) for message in messages]

    assert len(found) == len(set(found)) == 7


def test_the_number_of_webhooks_is_bounded_for_requests_at_once(alice: User, now: datetime) -> None:
    for _ in range(limits.MAX_WEBHOOKS - 2):
        new_hook(alice, now)
    values = services.webhook_values(WebhookRequest(url="http://127.0.0.1/"))

    def create() -> ErrorCode | None:
        try:
            services.create_webhook(owner=alice, values=values, now=now)
        except InvalidInput as error:
            return error.code
        return None

    answers = at_once(*[create] * 5)

    assert answers.count(None) == 2
    assert answers.count(ErrorCode.TOO_MANY_WEBHOOKS) == 3
    assert WebhookEndpoint.objects.count() == limits.MAX_WEBHOOKS


def test_a_webhook_is_deleted_while_a_task_is_submitted(
    alice: User, model: str, now: datetime
) -> None:
    hook = new_hook(alice, now)
    delete = partial(services.delete_webhook, owner=alice, webhook_id=hook.pk)
    deleting = Thread(target=at_once, args=(delete,))

    with transaction.atomic():
        submit(alice, now)
        deleting.start()
        # it waits for this transaction; without the lock of the account it would not
        deleting.join(0.3)
    deleting.join()

    assert GenerationTask.objects.count() == 1
    assert not WebhookEndpoint.objects.exists()


def test_tests_that_are_asked_for_at_once_are_one(alice: User, now: datetime) -> None:
    hook = new_hook(alice, now)
    ask = partial(services.request_test, owner=alice, webhook_id=hook.pk, now=now)

    assert len({attempt.pk for attempt in at_once(*[ask] * 4)}) == 1
