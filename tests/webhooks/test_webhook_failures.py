"""Failed messages are repeated; a webhook that fails for days is turned off."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import override_settings

from generation import services
from generation.choices import WebhookOutcome
from generation.models import (
    WebhookAttempt,
    WebhookCursor,
    WebhookEndpoint,
    Worker,
)
from generation.services.webhook_delivery import BACK_OFF
from tests.webhooks.message_runs import claim, finished, record

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


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


def fail(owner: User, worker: Worker, at: datetime) -> list[WebhookEndpoint | None]:
    """Finish a task whose message fails until it is given up; what each recording returned."""
    finished(owner, worker, at)
    turned_off = []
    for delay in (*BACK_OFF, timedelta(0)):
        (message,) = claim(at)
        turned_off.append(record(message, at, WebhookOutcome.UNREACHABLE))
        at += delay
    return turned_off


def test_a_webhook_that_fails_for_days_is_turned_off(
    hook: WebhookEndpoint, alice: User, worker: Worker, model: str, media: None, now: datetime
) -> None:
    assert set(fail(alice, worker, now)) == {None}
    hook.refresh_from_db()
    assert (hook.failing_since, hook.enabled) == (now, True)

    # not by the first failure after quiet days
    begun = now + timedelta(days=5)
    *others, last = fail(alice, worker, begun)
    assert (set(others), last) == ({None}, hook)

    hook.refresh_from_db()
    late = begun + sum(BACK_OFF, timedelta(0))
    assert (hook.enabled, hook.off_at) == (False, late)
    assert not WebhookCursor.objects.exists()
    finished(alice, worker, now)
    assert claim(late) == []


def test_a_failed_test_does_not_count_and_one_that_arrives_ends_the_count(
    hook: WebhookEndpoint, alice: User, now: datetime
) -> None:
    def test(outcome: WebhookOutcome) -> WebhookEndpoint:
        services.request_test(owner=alice, webhook_id=hook.pk, now=now)
        (message,) = claim(now)
        assert record(message, now, outcome) is None
        hook.refresh_from_db()
        return hook

    assert test(WebhookOutcome.UNREACHABLE).failing_since is None
    long_ago = now - timedelta(days=9)
    WebhookEndpoint.objects.update(failing_since=long_ago)
    assert test(WebhookOutcome.UNREACHABLE).failing_since == long_ago
    assert test(WebhookOutcome.DELIVERED).failing_since is None


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
