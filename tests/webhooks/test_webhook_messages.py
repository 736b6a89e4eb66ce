"""Which messages are due, who sends them, and what follows from their outcomes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

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
from generation.services.webhook_messages import BACK_OFF, LEASE
from tests.factories import boundary, claim_one, complete, put_in_trash, submit
from tests.webhooks.hooks import new_hook

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture
def hook(alice: User, allow_loopback: None, now: datetime) -> WebhookEndpoint:
    return new_hook(alice, now)


def claim(now: datetime, **options: Any) -> list[WebhookMessage]:
    usual: dict[str, Any] = {"running": {}, "per_owner": 4, "most": 32}
    return services.claim_messages(**{**usual, **options}, now=now)


def record(
    message: WebhookMessage,
    now: datetime,
    outcome: WebhookOutcome = WebhookOutcome.DELIVERED,
    **options: Any,
) -> WebhookEndpoint | None:
    return services.record_message(message, outcome=outcome, seconds=0.1, now=now, **options)


def finished(owner: User, worker: Worker, now: datetime) -> GenerationTask:
    task = submit(owner, now)
    complete(claim_one(worker, now), now)
    return task


def types(messages: list[WebhookMessage]) -> list[str]:
    return [message.type for message in messages]


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


def test_a_message_is_repeated_for_about_a_day_under_one_id(
    hook: WebhookEndpoint, alice: User, worker: Worker, model: str, media: None, now: datetime
) -> None:
    finished(alice, worker, now)

    ids, times, at = set(), [], now
    for delay in (*BACK_OFF, None):
        (message,) = claim(at)
        ids.add(message.id)
        times.append(at)
        record(message, at, WebhookOutcome.REFUSED, status=500)
        assert delay is None or claim(at + delay - SECOND) == []
        at += delay or timedelta(days=7)

    assert len(ids) == 1
    assert timedelta(hours=20) < times[-1] - times[0] < timedelta(hours=28)
    assert claim(at) == []
    assert WebhookAttempt.objects.count() == len(BACK_OFF) + 1


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


def test_a_webhook_that_fails_for_days_is_turned_off(
    hook: WebhookEndpoint, alice: User, worker: Worker, model: str, media: None, now: datetime
) -> None:
    for days in (0, 3):
        finished(alice, worker, now)
        at = now + timedelta(days=days)
        for message in claim(at):
            assert record(message, at, WebhookOutcome.UNREACHABLE) is None
    hook.refresh_from_db()
    assert (hook.failing_since, hook.enabled) == (now, True)

    finished(alice, worker, now)
    late = now + timedelta(days=5)
    message, *_others = claim(late)
    assert record(message, late, WebhookOutcome.UNREACHABLE) == hook

    hook.refresh_from_db()
    assert (hook.enabled, hook.off_at) == (False, late)
    assert not WebhookCursor.objects.exists()
    finished(alice, worker, now)
    assert claim(late) == []


def test_one_success_ends_the_count_of_days(
    hook: WebhookEndpoint, alice: User, worker: Worker, model: str, media: None, now: datetime
) -> None:
    finished(alice, worker, now)
    (message,) = claim(now)
    record(message, now, WebhookOutcome.REFUSED, status=503)
    (message,) = claim(now + BACK_OFF[0])
    record(message, now + BACK_OFF[0])

    hook.refresh_from_db()
    assert hook.failing_since is None


@override_settings(WEBHOOK_OFF_AFTER=timedelta(0))
def test_with_zero_days_it_is_never_turned_off(
    hook: WebhookEndpoint, alice: User, worker: Worker, model: str, media: None, now: datetime
) -> None:
    finished(alice, worker, now)
    WebhookEndpoint.objects.update(failing_since=now - timedelta(days=400))
    (message,) = claim(now)

    assert record(message, now, WebhookOutcome.UNREACHABLE) is None


def test_a_receiver_that_is_gone_is_turned_off_at_once(
    hook: WebhookEndpoint, alice: User, worker: Worker, model: str, media: None, now: datetime
) -> None:
    finished(alice, worker, now)
    (message,) = claim(now)

    assert record(message, now, WebhookOutcome.REFUSED, status=410, is_unwanted=True) == hook


def test_turning_it_on_again_forgets_its_failures(
    hook: WebhookEndpoint, alice: User, now: datetime
) -> None:
    WebhookEndpoint.objects.update(enabled=False, failing_since=now, off_at=now)

    changed = services.change_webhook(owner=alice, webhook_id=hook.pk, changes={"enabled": True})

    assert (changed.enabled, changed.failing_since, changed.off_at) == (True, None, None)


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
    assert claim(now + timedelta(days=1)) == []

    assert (again.id, again.kind) == (message.id, message.kind)
    record(again, now, WebhookOutcome.REFUSED, status=500)
    assert [each.outcome for each in WebhookAttempt.objects.order_by("pk")] == [
        WebhookOutcome.DELIVERED,
        WebhookOutcome.REFUSED,
    ]
    # it is not repeated
    assert claim(now + timedelta(days=1)) == []


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

    with override_settings(SECRET_KEY="another-key-that-nobody-knows", SECRET_KEY_FALLBACKS=[]):
        (message,) = claim(now)
    assert message.secret is None
