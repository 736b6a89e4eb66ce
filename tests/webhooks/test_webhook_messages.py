"""Which messages are due, who sends them, and what follows from their outcomes."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import override_settings

from generation import services
from generation.choices import Step, WebhookOutcome
from generation.models import (
    GenerationTask,
    WebhookAttempt,
    WebhookCursor,
    WebhookEndpoint,
    Worker,
)
from generation.services import WebhookMessage
from generation.services.webhook_delivery import LEASE
from tests.factories import boundary, claim_one, complete, put_in_trash, submit
from tests.webhooks.hooks import new_hook
from tests.webhooks.message_runs import claim, finished, record, types

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def test_only_the_end_is_sent_unless_more_is_asked_for(
    hook: WebhookEndpoint, alice: User, worker: Worker, model: str, media: None, now: datetime
) -> None:
    submit(alice, now)
    assert claim(now) == []

    running = claim_one(worker, now)
    services.record_progress(
        task_id=running.task.pk, attempt=1, seen=[boundary(Step.PREPARING)], now=now
    )
    assert claim(now) == []

    complete(running, now)
    (message,) = claim(now)
    assert (message.type, message.task_id) == ("task.completed", running.task.pk)


def test_events_are_sent_in_order_and_of_progress_only_the_newest(
    alice: User,
    allow_loopback: None,
    worker: Worker,
    model: str,
    media: None,
    now: datetime,
) -> None:
    new_hook(alice, now, "task.claimed", "task.step_began", "task.progressed", "task.image_stored")
    task = submit(alice, now)
    running = claim_one(worker, now)
    for step in (Step.PREPARING, Step.GENERATING):
        services.record_progress(task_id=task.pk, attempt=1, seen=[boundary(step)], now=now)
    complete(running, now)

    sent: list[WebhookMessage] = []
    at = now
    while messages := claim(at):
        (message,) = messages
        sent.append(message)
        record(message, at)
        # progress at most every half second
        at += timedelta(milliseconds=500)

    assert types(sent) == [
        "task.claimed",
        "task.step_began",
        "task.image_stored",
        "task.completed",
    ]
    seqs = [message.seq for message in sent]
    assert seqs == sorted(seqs)
    assert not WebhookCursor.objects.exists()


def test_the_next_progress_waits_half_a_second(
    alice: User, allow_loopback: None, worker: Worker, model: str, now: datetime
) -> None:
    new_hook(alice, now, "task.step_began")
    task = submit(alice, now)
    claim_one(worker, now)

    (message,) = claim(now)
    record(message, now)
    services.record_progress(task_id=task.pk, attempt=1, seen=[boundary(Step.PREPARING)], now=now)

    assert claim(now + timedelta(milliseconds=400)) == []
    assert types(claim(now + timedelta(milliseconds=500))) == ["task.step_began"]


def test_two_workers_never_send_the_same_message(
    hook: WebhookEndpoint, alice: User, worker: Worker, model: str, media: None, now: datetime
) -> None:
    finished(alice, worker, now)

    (message,) = claim(now)
    assert claim(now) == []
    assert claim(now + LEASE - SECOND) == []

    # the first worker died, or froze
    (again,) = claim(now + LEASE)
    assert again.id == message.id
    assert record(message, now + LEASE) is None
    assert not WebhookAttempt.objects.exists()
    record(again, now + LEASE)
    assert WebhookAttempt.objects.get().outcome == WebhookOutcome.DELIVERED


def test_a_failed_message_about_progress_does_not_delay_the_end_for_long(
    alice: User, allow_loopback: None, worker: Worker, model: str, media: None, now: datetime
) -> None:
    new_hook(alice, now, "task.submitted")
    finished(alice, worker, now)

    sent, at = [], now
    while at < now + timedelta(minutes=1):
        for message in claim(at):
            sent.append(message.type)
            record(message, at, WebhookOutcome.TIMED_OUT)
        at += SECOND

    assert sent[:4] == ["task.submitted"] * 3 + ["task.completed"]


def test_one_owner_cannot_use_all_places(
    hook: WebhookEndpoint,
    alice: User,
    bob: User,
    worker: Worker,
    model: str,
    media: None,
    now: datetime,
) -> None:
    new_hook(bob, now)
    for owner in (alice, alice, alice, bob):
        finished(owner, worker, now)

    first = claim(now, per_owner=2, most=2)
    assert [message.owner_id for message in first] == [alice.pk, alice.pk]
    second = claim(now, per_owner=2, most=2, running={alice.pk: 2})
    assert [message.owner_id for message in second] == [bob.pk]


def test_a_message_of_the_history_is_sent_again_once_per_request(
    hook: WebhookEndpoint, alice: User, worker: Worker, model: str, media: None, now: datetime
) -> None:
    finished(alice, worker, now)
    (message,) = claim(now)
    record(message, now)
    attempt = WebhookAttempt.objects.get()

    for _ in range(2):
        services.request_again(owner=alice, webhook_id=hook.pk, attempt_id=attempt.pk, now=now)
    (again,) = claim(now)
    assert claim(now) == []

    assert (again.id, again.kind) == (message.id, message.kind)
    record(again, now, WebhookOutcome.REFUSED, status=500)
    assert [each.outcome for each in WebhookAttempt.objects.order_by("pk")] == [
        WebhookOutcome.DELIVERED,
        WebhookOutcome.REFUSED,
    ]
    # it is not repeated
    assert claim(now + timedelta(days=1)) == []


def test_a_requested_message_of_a_lost_worker_is_sent_by_another(
    hook: WebhookEndpoint, alice: User, now: datetime
) -> None:
    services.request_test(owner=alice, webhook_id=hook.pk, now=now)
    (lost,) = claim(now)
    assert claim(now + LEASE - SECOND) == []

    (again,) = claim(now + LEASE)
    assert again.id == lost.id
    record(lost, now + LEASE, WebhookOutcome.TIMED_OUT)
    assert WebhookAttempt.objects.get().outcome == ""
    record(again, now + LEASE)
    assert WebhookAttempt.objects.get().outcome == WebhookOutcome.DELIVERED
    assert claim(now + 2 * LEASE) == []


def test_a_disabled_account_receives_nothing(
    hook: WebhookEndpoint, alice: User, worker: Worker, model: str, media: None, now: datetime
) -> None:
    finished(alice, worker, now)
    services.request_test(owner=alice, webhook_id=hook.pk, now=now)
    User.objects.filter(pk=alice.pk).update(is_active=False)

    assert claim(now) == []


def test_nothing_is_sent_of_a_task_in_the_trash(
    hook: WebhookEndpoint, alice: User, worker: Worker, model: str, media: None, now: datetime
) -> None:
    task = finished(alice, worker, now)
    put_in_trash(alice, now, tasks=[task])

    assert claim(now) == []


def test_deleting_a_task_or_an_account_removes_its_rows(
    hook: WebhookEndpoint, alice: User, worker: Worker, model: str, media: None, now: datetime
) -> None:
    tasks = [finished(alice, worker, now) for _ in range(2)]
    new_hook(alice, now, task=tasks[0])
    for message in claim(now)[:1]:
        record(message, now)

    GenerationTask.objects.filter(pk=tasks[0].pk).delete()
    assert [each.task_id for each in WebhookCursor.objects.all()] == [tasks[1].pk]
    assert list(WebhookEndpoint.objects.all()) == [hook]

    services.delete_account(user=alice)
    services.delete_account(user=alice)
    assert not User.objects.filter(pk=alice.pk).exists()
    for kind in (WebhookEndpoint, WebhookCursor, WebhookAttempt):
        assert not kind.objects.exists()


def test_a_webhook_that_is_deleted_while_its_message_is_sent(
    hook: WebhookEndpoint, alice: User, worker: Worker, model: str, media: None, now: datetime
) -> None:
    finished(alice, worker, now)
    (message,) = claim(now)
    services.delete_webhook(owner=alice, webhook_id=hook.pk)

    assert record(message, now) is None
    assert not WebhookAttempt.objects.exists()


def test_old_rows_of_the_history_are_deleted(
    hook: WebhookEndpoint, alice: User, now: datetime
) -> None:
    services.request_test(owner=alice, webhook_id=hook.pk, now=now)

    services.delete_old_attempts(now=now + timedelta(days=29))
    assert WebhookAttempt.objects.exists()
    services.delete_old_attempts(now=now + timedelta(days=31))
    assert not WebhookAttempt.objects.exists()


def test_a_secret_is_stored_encrypted(hook: WebhookEndpoint, alice: User) -> None:
    assert "whsec_" not in hook.secret
    assert hook.secret.startswith("gAAAA")


def test_a_secret_of_a_lost_key_is_not_used(
    hook: WebhookEndpoint, alice: User, worker: Worker, model: str, media: None, now: datetime
) -> None:
    finished(alice, worker, now)

    with override_settings(SECRET_KEY="another-key-that-signed-nothing", SECRET_KEY_FALLBACKS=[]):
        (message,) = claim(now)
    assert message.secret is None
