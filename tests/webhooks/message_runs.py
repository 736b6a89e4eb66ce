"""Messages as a worker claims and records them, without sending any."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from generation import services
from generation.choices import WebhookOutcome
from generation.models import GenerationTask, WebhookEndpoint, Worker
from generation.services import WebhookMessage
from tests.factories import claim_one, complete, submit


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
