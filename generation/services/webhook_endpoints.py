"""Webhooks: who receives messages, and about what."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from accounts.models import ApiToken
from accounts.secret_box import encrypt
from accounts.security_log import SecurityEvent, log_event
from generation import limits
from generation.choices import TERMINAL, EventKind
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput, NotFound
from generation.models import GenerationTask, WebhookAttempt, WebhookCursor, WebhookEndpoint
from generation.models.webhooks import TEST, type_of
from generation.protocol import WebhookRequest
from generation.webhooks import configured_targets, is_secret, new_secret, readable_url

if TYPE_CHECKING:
    from collections.abc import Mapping

OPTIONAL_KINDS = [kind.value for kind in EventKind if kind.value not in TERMINAL]
"""Kinds that a webhook receives only if it asks for them."""

TYPES = {type_of(kind.value): kind.value for kind in EventKind}

ATTEMPTS_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWebhook:
    """`secret`: in clear; it is shown this once."""

    endpoint: WebhookEndpoint
    secret: str = field(repr=False)


def webhook_values(request: WebhookRequest) -> dict[str, str]:
    """The column values, with the secret in clear; raises InvalidInput."""
    secret = request.secret or new_secret()
    if not is_secret(secret):
        raise InvalidInput(ErrorCode.WEBHOOK_SECRET_INVALID, "secret")
    return {"url": url_of(request.url), "events": events_of(request.events), "secret": secret}


def url_of(text: str) -> str:
    return readable_url(text, configured_targets())


def events_of(types: Iterable[str]) -> str:
    """As they are stored: the optional kinds, in the order of a log."""
    kinds = {TYPES.get(each) for each in types}
    if None in kinds:
        raise InvalidInput(ErrorCode.WEBHOOK_EVENTS_INVALID, "events")
    return " ".join(kind for kind in OPTIONAL_KINDS if kind in kinds)


def create_webhook(
    *,
    owner: User,
    values: Mapping[str, str],
    now: datetime,
    task: GenerationTask | None = None,
    token: ApiToken | None = None,
    address: str | None = None,
) -> NewWebhook:
    """A webhook of the account, or of one task.

    `values` are those of `webhook_values`; `token` is the one of the program that asks. Raises
    InvalidInput if the account has too many.
    """
    with transaction.atomic():
        if task is None:
            # so that two requests cannot both be the last one
            lock_account(owner)
            if (
                WebhookEndpoint.objects.filter(owner=owner, task=None).count()
                >= limits.MAX_WEBHOOKS
            ):
                raise InvalidInput(ErrorCode.TOO_MANY_WEBHOOKS)
        endpoint = WebhookEndpoint.objects.create(
            owner=owner,
            task=task,
            token=token,
            url=values["url"],
            events=values["events"],
            secret=encrypt(values["secret"]),
            created=now,
        )
    if task is None:
        log_change(SecurityEvent.WEBHOOK_MADE, endpoint, owner, address)
    return NewWebhook(endpoint=endpoint, secret=values["secret"])


def lock_account(owner: User) -> None:
    """Until the transaction ends, the account submits no task and revokes no token."""
    User.objects.select_for_update(no_key=True).get(pk=owner.pk)


def log_change(
    event: SecurityEvent, endpoint: WebhookEndpoint, owner: User, address: str | None
) -> None:
    """Log the URL without its query, which may hold a password of the receiver."""
    url = endpoint.url.partition("?")[0]
    log_event(event, account=owner.get_username(), address=address, url=url)


def begin_messages(task: GenerationTask, *, now: datetime) -> None:
    """Send messages about a new task to its own webhook and to those of its owner."""
    receivers = WebhookEndpoint.objects.filter(
        Q(task=task) | Q(task=None),
        Q(token__expires_at=None) | Q(token__expires_at__gt=now),
        owner=task.owner_id,
        enabled=True,
    )
    WebhookCursor.objects.bulk_create(
        WebhookCursor(endpoint=each, task=task, due_at=now) for each in receivers
    )


def has_webhook(task: GenerationTask, values: dict[str, str] | None) -> bool:
    """Whether the task has this webhook; None: any or none."""
    if values is None:
        return True
    hook = WebhookEndpoint.objects.filter(task=task).first()
    return hook is not None and hook.url == values["url"] and hook.events == values["events"]


def change_webhook(
    *,
    owner: User,
    webhook_id: uuid.UUID,
    changes: Mapping[str, Any],
    token: ApiToken | None = None,
    address: str | None = None,
) -> WebhookEndpoint:
    """Change `url`, `types` of events or `enabled`; raises NotFound or InvalidInput.

    Turning it on again forgets its failures. While it is off, new tasks are not for it. `token` is
    the one of the program that asks; with a new address the webhook belongs to it.
    """
    values = dict(changes)
    if "url" in values:
        values |= {"url": url_of(values["url"]), "token": token}
    if "types" in values:
        values["events"] = events_of(values.pop("types"))
    with transaction.atomic():
        lock_account(owner)
        endpoint = locked(owner, webhook_id)
        if values.get("enabled") and not endpoint.enabled:
            values |= {"failing_since": None, "off_at": None}
        if values.get("enabled") is False:
            endpoint.cursors.all().delete()
        for name, value in values.items():
            setattr(endpoint, name, value)
        if values:
            endpoint.save(update_fields=list(values))
    if values:
        log_change(SecurityEvent.WEBHOOK_CHANGED, endpoint, owner, address)
    return endpoint


def delete_webhook(*, owner: User, webhook_id: uuid.UUID, address: str | None = None) -> None:
    """Raises NotFound."""
    with transaction.atomic():
        # a submission would insert a cursor for it meanwhile
        lock_account(owner)
        endpoint = locked(owner, webhook_id)
        endpoint.delete()
    log_change(SecurityEvent.WEBHOOK_DELETED, endpoint, owner, address)


def locked(owner: User, webhook_id: uuid.UUID) -> WebhookEndpoint:
    rows = WebhookEndpoint.objects.select_for_update(of=("self",))
    endpoint = rows.filter(owner=owner, pk=webhook_id).first()
    if endpoint is None:
        raise NotFound
    return endpoint


def request_test(*, owner: User, webhook_id: uuid.UUID, now: datetime) -> WebhookAttempt:
    """Have a worker send a message about no task; raises NotFound."""
    with transaction.atomic():
        endpoint = locked(owner, webhook_id)
        last = endpoint.attempts.filter(kind=TEST).order_by("-seq").first()
        seq = 1 if last is None else last.seq + (last.started_at is not None)
        return waiting_attempt(endpoint, None, seq, TEST, now)


def request_again(
    *, owner: User, webhook_id: uuid.UUID, attempt_id: int, now: datetime
) -> WebhookAttempt:
    """Have a worker send a message of the history once more; raises NotFound."""
    with transaction.atomic():
        endpoint = locked(owner, webhook_id)
        earlier = endpoint.attempts.filter(pk=attempt_id).first()
        if earlier is None:
            raise NotFound
        return waiting_attempt(endpoint, earlier.task_id, earlier.seq, earlier.kind, now)


def waiting_attempt(
    endpoint: WebhookEndpoint, task_id: uuid.UUID | None, seq: int, kind: str, now: datetime
) -> WebhookAttempt:
    """The attempt that waits for a worker already, or a new one: requests do not pile up."""
    attempt, _created = endpoint.attempts.get_or_create(
        task_id=task_id,
        seq=seq,
        kind=kind,
        is_requested=True,
        started_at=None,
        defaults={"created": now},
    )
    return attempt


def delete_old_attempts(*, now: datetime) -> None:
    WebhookAttempt.objects.filter(created__lt=now - ATTEMPTS_KEPT).delete()
