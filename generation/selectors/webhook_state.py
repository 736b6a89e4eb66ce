"""Webhooks: what is due, and what their owners see."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import DateTimeField, F, Q, QuerySet

from generation.choices import TERMINAL
from generation.compiled_query import CompiledQuery, Parameter
from generation.exceptions import NotFound
from generation.models import WebhookAttempt, WebhookCursor, WebhookEndpoint

PAGE_ATTEMPTS = 50


def waiting_attempts(lost_at: datetime | Parameter) -> QuerySet[WebhookAttempt]:
    return WebhookAttempt.objects.filter(
        Q(started_at=None) | Q(started_at__lte=lost_at),
        seconds=None,
        endpoint__owner__is_active=True,
    )


def cursors_with_news(now: datetime | Parameter) -> QuerySet[WebhookCursor]:
    return WebhookCursor.objects.filter(
        Q(task__status__in=sorted(TERMINAL)) | ~Q(endpoint__events=""),
        Q(endpoint__token__expires_at=None) | Q(endpoint__token__expires_at__gt=now),
        due_at__lte=now,
        task__newest_seq__gt=F("sent_seq"),
        task__deleted_at__isnull=True,
        endpoint__enabled=True,
        endpoint__owner__is_active=True,
    )


ANY_ATTEMPT = CompiledQuery(
    waiting_attempts(Parameter("lost_at", DateTimeField())).values_list("pk")[:1]
)
ANY_CURSOR = CompiledQuery(
    cursors_with_news(Parameter("now", DateTimeField())).values_list("pk")[:1]
)


def requested_attempts(
    *, lost_at: datetime, busy: Collection[int], most: int
) -> list[WebhookAttempt]:
    """Messages that their owners asked for and that were not sent yet, oldest first.

    Also those begun before `lost_at`, whose worker is gone.
    """
    others = waiting_attempts(lost_at).exclude(endpoint__owner__in=busy)
    return list(others.select_related("endpoint").order_by("pk")[:most])


def due_cursors(*, now: datetime, busy: Collection[int], most: int) -> list[WebhookCursor]:
    """Cursors of tasks with news that their webhooks receive, those that wait longest first."""
    others = cursors_with_news(now).exclude(endpoint__owner__in=busy)
    return list(others.select_related("endpoint", "task").order_by("due_at", "pk")[:most])


def is_any_due(*, now: datetime, lost_at: datetime) -> bool:
    """Whether there is anything to send; asked after each task, of which few have webhooks."""
    return bool(ANY_ATTEMPT.rows(lost_at=lost_at) or ANY_CURSOR.rows(now=now))


def webhooks_of(owner: User) -> list[WebhookEndpoint]:
    """The webhooks of an account, oldest first, without those of single tasks."""
    found = WebhookEndpoint.objects.filter(owner=owner, task=None).select_related("token")
    return list(found.order_by("created", "id"))


def webhook_of(owner: User, webhook_id: uuid.UUID) -> WebhookEndpoint:
    """Also that of a task; raises NotFound."""
    rows = WebhookEndpoint.objects.select_related("token")
    endpoint = rows.filter(owner=owner, pk=webhook_id).first()
    if endpoint is None:
        raise NotFound
    return endpoint


def attempts_page(
    endpoint: WebhookEndpoint, *, before: int | None = None, limit: int = PAGE_ATTEMPTS
) -> tuple[list[WebhookAttempt], int | None]:
    """Attempts, newest first, and `before` of the next page."""
    rows: QuerySet[WebhookAttempt] = endpoint.attempts.order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: limit + 1])
    return found[:limit], found[limit - 1].pk if len(found) > limit else None
