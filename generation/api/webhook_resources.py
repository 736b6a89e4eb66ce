"""Webhooks and their history as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest

from generation.api.resources import url_of
from generation.models import WebhookAttempt, WebhookEndpoint
from generation.models.webhooks import type_of
from generation.services import NewWebhook


def webhook_resource(endpoint: WebhookEndpoint, request: HttpRequest) -> dict[str, Any]:
    return {
        "id": str(endpoint.pk),
        "url": endpoint.url,
        "events": [type_of(kind) for kind in endpoint.kinds],
        "task": None if endpoint.task_id is None else str(endpoint.task_id),
        "enabled": endpoint.enabled,
        "failing_since": unix(endpoint.failing_since),
        "off_at": unix(endpoint.off_at),
        "created": unix(endpoint.created),
        "urls": {
            "self": url_of(request, "webhook", endpoint.pk),
            "deliveries": url_of(request, "deliveries", endpoint.pk),
            "test": url_of(request, "webhook_test", endpoint.pk),
        },
    }


def new_webhook_resource(webhook: NewWebhook, request: HttpRequest) -> dict[str, Any]:
    return {**webhook_resource(webhook.endpoint, request), "secret": webhook.secret}


def delivery_resource(attempt: WebhookAttempt) -> dict[str, Any]:
    return {
        "id": attempt.pk,
        "message_id": attempt.message_id,
        "type": attempt.type,
        "task": None if attempt.task_id is None else str(attempt.task_id),
        "seq": None if attempt.task_id is None else attempt.seq,
        "is_requested": attempt.is_requested,
        "created": unix(attempt.created),
        "started_at": unix(attempt.started_at),
        "seconds": attempt.seconds,
        "outcome": attempt.outcome or None,
        "status": attempt.status,
        "excerpt": attempt.excerpt,
    }


def unix(time: datetime | None) -> float | None:
    return None if time is None else round(time.timestamp(), 3)
