"""Messages to webhooks: which is due, who sends it, and what follows from its outcome.

A cursor is leased by compare-and-set on `due_at`, so that two workers never send the same message
at the same time. The log of a task says what is to be sent; the history says how often a message
was tried.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts.secret_box import decrypt
from generation import selectors
from generation.choices import TERMINAL, EventKind, WebhookOutcome
from generation.models import WebhookAttempt, WebhookCursor, WebhookEndpoint
from generation.models.webhooks import message_id, type_of

LEASE = timedelta(seconds=30)
"""Longer than a request and what precedes and follows it."""

BACK_OFF = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3_600, 10_800, 21_600, 43_200)
)
"""Until the next attempt of a message that ends a task: 22 hours in all."""

BACK_OFF_BEFORE_END = BACK_OFF[:2]
"""Of other messages, which must not delay the end for long."""

PROGRESS = frozenset({EventKind.STEP_BEGAN.value, EventKind.PROGRESSED.value})
"""Kinds of which only the newest is sent."""

PROGRESS_INTERVAL = timedelta(milliseconds=500)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookMessage:
    """A message that this process may send until LEASE after `started_at`.

    `secret`: None if it cannot be decrypted. `attempt_id`: of the attempt that its owner asked
    for; otherwise the log asks for it, and `cursor_id` was leased.
    """

    endpoint_id: uuid.UUID
    owner_id: int
    url: str
    secret: str | None = field(repr=False)
    task_id: uuid.UUID | None
    seq: int
    kind: str
    occurred_at: datetime
    started_at: datetime
    attempt_id: int | None = None
    cursor_id: int | None = None

    @property
    def id(self) -> str:
        return message_id(self.task_id or self.endpoint_id, self.seq)

    @property
    def type(self) -> str:
        return type_of(self.kind)

    @property
    def is_end(self) -> bool:
        return self.kind in TERMINAL


def claim_messages(
    *, running: Mapping[int, int], per_owner: int, most: int, now: datetime
) -> list[WebhookMessage]:
    """Messages to send now, at most `most`, so that no owner has more than `per_owner`.

    `running`: how many of each owner this process is sending.
    """
    if not selectors.is_any_due(now=now, lost_at=now - LEASE):
        return []
    count = Counter(running)
    busy = [owner for owner, sending in running.items() if sending >= per_owner]
    asked = selectors.requested_attempts(lost_at=now - LEASE, busy=busy, most=most)
    due_rows: list[WebhookAttempt | WebhookCursor] = [
        *asked,
        *selectors.due_cursors(now=now, busy=busy, most=most),
    ]
    messages: list[WebhookMessage] = []
    for due in due_rows:
        owner = due.endpoint.owner_id
        if len(messages) == most or count[owner] >= per_owner:
            continue
        if isinstance(due, WebhookAttempt):
            message = claim_attempt(due, now)
        else:
            message = claim_cursor(due, now)
        if message is not None:
            count[owner] += 1
            messages.append(message)
    return messages


def claim_attempt(attempt: WebhookAttempt, now: datetime) -> WebhookMessage | None:
    """The message; None if another worker has taken it."""
    waiting = WebhookAttempt.objects.filter(
        pk=attempt.pk, started_at=attempt.started_at, seconds=None
    )
    if not waiting.update(started_at=now):
        return None
    return message_of(
        attempt.endpoint,
        task_id=attempt.task_id,
        seq=attempt.seq,
        kind=attempt.kind,
        occurred_at=attempt.created,
        now=now,
        attempt_id=attempt.pk,
    )


def claim_cursor(cursor: WebhookCursor, now: datetime) -> WebhookMessage | None:
    """The next message of a task; None if another worker has it, or none is to be sent."""
    leased = WebhookCursor.objects.filter(pk=cursor.pk, due_at=cursor.due_at)
    if not leased.update(due_at=now + LEASE):
        return None
    event = next_event(cursor)
    if event is None:
        # what was not sent is not for this webhook
        newest = cursor.task.newest_seq
        held(cursor.pk, now).update(sent_seq=newest, due_at=now)
        return None
    return message_of(
        cursor.endpoint,
        task_id=cursor.task_id,
        seq=event.seq,
        kind=event.kind,
        occurred_at=event.created_at,
        now=now,
        cursor_id=cursor.pk,
    )


def next_event(cursor: WebhookCursor) -> selectors.NamedEvent | None:
    """The next event that its webhook receives; of several about progress the newest."""
    wanted = [*cursor.endpoint.kinds, *TERMINAL]
    events = selectors.kinds_after(cursor.task_id, cursor.sent_seq, wanted)
    for event, following in zip(events, [*events[1:], None], strict=True):
        if event.kind not in PROGRESS or following is None or following.kind not in PROGRESS:
            return event
    return None


def message_of(
    endpoint: WebhookEndpoint,
    *,
    task_id: uuid.UUID | None,
    seq: int,
    kind: str,
    occurred_at: datetime,
    now: datetime,
    attempt_id: int | None = None,
    cursor_id: int | None = None,
) -> WebhookMessage:
    try:
        secret: str | None = decrypt(endpoint.secret)
    except InvalidToken:
        secret = None
    return WebhookMessage(
        endpoint_id=endpoint.pk,
        owner_id=endpoint.owner_id,
        url=endpoint.url,
        secret=secret,
        task_id=task_id,
        seq=seq,
        kind=kind,
        occurred_at=occurred_at,
        started_at=now,
        attempt_id=attempt_id,
        cursor_id=cursor_id,
    )


def held(cursor_id: int, started_at: datetime) -> QuerySet[WebhookCursor]:
    """The cursor, unless another worker has leased it since."""
    return WebhookCursor.objects.filter(pk=cursor_id, due_at=started_at + LEASE)


def begun_attempt(attempt_id: int, started_at: datetime) -> QuerySet[WebhookAttempt]:
    """The attempt, unless another worker has begun it again since."""
    return WebhookAttempt.objects.filter(pk=attempt_id, started_at=started_at)


def record_message(
    message: WebhookMessage,
    *,
    outcome: WebhookOutcome,
    seconds: float,
    status: int | None = None,
    excerpt: str = "",
    is_unwanted: bool = False,
    now: datetime,
) -> WebhookEndpoint | None:
    """Record what became of a message; returns the webhook if this turned it off.

    Nothing is recorded if the webhook or the task was deleted meanwhile, or if the lease expired.
    """
    result = {"outcome": outcome, "seconds": seconds, "status": status, "excerpt": excerpt}
    delivered = outcome == WebhookOutcome.DELIVERED
    try:
        with transaction.atomic():
            rows = WebhookEndpoint.objects.select_related("owner")
            rows = rows.select_for_update(of=("self",))
            endpoint = rows.filter(pk=message.endpoint_id).first()
            if endpoint is None:
                return None
            if message.attempt_id is not None:
                attempt = begun_attempt(message.attempt_id, message.started_at)
                if not attempt.update(**result):
                    return None
            elif move_cursor(message, delivered=delivered, now=now):
                WebhookAttempt.objects.create(
                    endpoint=endpoint,
                    task_id=message.task_id,
                    seq=message.seq,
                    kind=message.kind,
                    created=message.started_at,
                    started_at=message.started_at,
                    **result,
                )
            else:
                return None
            return note_outcome(
                endpoint, message, delivered=delivered, is_unwanted=is_unwanted, now=now
            )
    except IntegrityError:
        return None


def record_unsent(message: WebhookMessage) -> None:
    """Record that the task of a message was deleted before it was sent.

    One of the log waits instead: the task may be restored.
    """
    if message.attempt_id is not None:
        attempt = begun_attempt(message.attempt_id, message.started_at)
        attempt.update(outcome=WebhookOutcome.TASK_DELETED, seconds=0.0)


def move_cursor(message: WebhookMessage, *, delivered: bool, now: datetime) -> bool:
    """What is sent next, and when; False if the lease was lost."""
    cursor = held(message.cursor_id or 0, message.started_at)
    delays = BACK_OFF if message.is_end else BACK_OFF_BEFORE_END
    tries = 0 if delivered else failed_tries(message)
    if not delivered and tries < len(delays):
        return bool(cursor.update(due_at=now + delays[tries]))
    if message.is_end:
        return bool(cursor.delete()[0])
    pause = PROGRESS_INTERVAL if message.kind in PROGRESS else timedelta(0)
    due_at = max(now, message.started_at + pause)
    return bool(cursor.update(sent_seq=message.seq, due_at=due_at))


def failed_tries(message: WebhookMessage) -> int:
    """How often the message was sent before, without the attempts that its owner asked for."""
    return WebhookAttempt.objects.filter(
        endpoint=message.endpoint_id, task=message.task_id, seq=message.seq, is_requested=False
    ).count()


def is_given_up(message: WebhookMessage) -> bool:
    """Whether it is about an end, and its last repetition was recorded."""
    return message.attempt_id is None and message.is_end and failed_tries(message) > len(BACK_OFF)


def note_outcome(
    endpoint: WebhookEndpoint,
    message: WebhookMessage,
    *,
    delivered: bool,
    is_unwanted: bool,
    now: datetime,
) -> WebhookEndpoint | None:
    """Remember since when it fails; turn it off if that is too long, or if it asked for it.

    Only a message about an end that is given up turns it off: after quiet days the first failure
    may be of a minute. Failures of what its owner asked for are not counted.
    """
    if delivered:
        if endpoint.failing_since is not None:
            endpoint.failing_since = None
            endpoint.save(update_fields=["failing_since"])
        return None
    if message.attempt_id is None:
        endpoint.failing_since = endpoint.failing_since or now
    limit, since = settings.WEBHOOK_OFF_AFTER, endpoint.failing_since
    too_long = bool(limit) and since is not None and now - since >= limit and is_given_up(message)
    is_off = endpoint.enabled and (too_long or is_unwanted)
    if is_off:
        endpoint.enabled, endpoint.off_at = False, now
        endpoint.cursors.all().delete()
    endpoint.save(update_fields=["failing_since", "enabled", "off_at"])
    return endpoint if is_off else None
