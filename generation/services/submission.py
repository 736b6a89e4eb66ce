"""Accepts new tasks, for every entry point."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Exists, IntegerField, OuterRef, Q

from accounts.log_context import correlation_id
from accounts.models import AccountDeletion
from generation import broadcast, selectors
from generation.choices import Basis, EventKind, Step, TaskStatus
from generation.compiled_query import CompiledQuery, Parameter
from generation.error_codes import ErrorCode
from generation.exceptions import AccountLeaving, InvalidInput, NotFound, TransitionRefused
from generation.models import GenerationTask, WebhookEndpoint
from generation.protocol import Generate, WebhookRequest, encode, task_frame
from generation.selectors import Allowances
from generation.services.charges import charge
from generation.services.search_text import search_text
from generation.services.submission_values import column_values
from generation.services.transition import NewEvent, TaskRow, append
from generation.services.webhook_endpoints import (
    NewWebhook,
    begin_messages,
    create_webhook,
    has_webhook,
    webhook_values,
)
from generation.services.word_rules import word_action

if TYPE_CHECKING:
    from django.contrib.auth.models import User

SETTING_FIELDS = (
    "prompt",
    "negative_prompt",
    "model",
    "width",
    "height",
    "image_count",
    "steps",
    "guidance",
    "requested_seed",
)
"""Fields in which two submissions of the same request key must agree."""

OWNER = Parameter("owner", IntegerField())
WEBHOOKS = WebhookEndpoint.objects.filter(owner=OuterRef("pk"), task=None, enabled=True)
LOCKED_OWNER = CompiledQuery(
    get_user_model()
    .objects.select_for_update(no_key=True, of=("self",))
    .filter(pk=OWNER)
    .values_list(Exists(WEBHOOKS))
)
LEAVING = CompiledQuery(AccountDeletion.objects.filter(user=OWNER).values_list("pk"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """`duplicate`: the task existed already and nothing was written, or taken from a limit.

    `allowances`: what a new task left of its owner's limits. `webhook`: was created for it.
    """

    task: GenerationTask
    duplicate: bool
    webhook: NewWebhook | None = None
    allowances: Allowances = field(default_factory=dict)


def submit(
    *,
    owner: User,
    request: Generate,
    now: datetime,
    cancel_after: datetime | None = None,
    webhook: WebhookRequest | None = None,
) -> Submission:
    """Store a task; raises InvalidInput(code, field), AccountLeaving or LimitReached.

    `cancel_after`: when it is cancelled unless it is over.
    A repeated request key returns its task, or raises `request_key_reused` if other fields differ.
    `webhook`: receives messages about this task, besides the webhooks of the account.
    """
    values = column_values(request)
    hook = None if webhook is None else webhook_values(webhook)
    with transaction.atomic():
        has_webhooks = lock_owner(owner)
        # a repeated request is answered even if its parent was deleted since
        known = existing_submission(
            owner=owner, values=values, key=request.request_key, webhook=hook
        )
        if known is not None:
            return known
        if not selectors.may_be_parent(values["parent_id"], owner):
            raise InvalidInput(ErrorCode.NOT_FOUND, "parent")
        made = insert(
            owner=owner,
            values=values,
            key=request.request_key,
            now=now,
            cancel_after=cancel_after,
        )
        if hook is not None:
            created = create_webhook(owner=owner, values=hook, now=now, task=made.task)
            made = replace(made, webhook=created)
        if hook is not None or has_webhooks:
            begin_messages(made.task, now=now)
        return made


def newest_like(
    *, owner: User, request: Generate, created_since: datetime, ended_since: datetime
) -> GenerationTask | None:
    """The owner's newest task with these settings that is unfinished or ended since then."""
    tasks = GenerationTask.objects.filter(
        Q(finished_at=None) | Q(finished_at__gte=ended_since),
        owner=owner,
        created__gte=created_since,
        **column_values(request),
    )
    return tasks.live().newest_first().first()


def retry(
    *,
    task: GenerationTask,
    key: uuid.UUID | None,
    now: datetime,
    cancel_after: datetime | None = None,
) -> Submission:
    """A new task with the settings of a failed or cancelled one.

    While an earlier retry is unfinished, returns that one. Raises TransitionRefused for other
    statuses, NotFound if the task was deleted since it was read, InvalidInput if its prompt was
    removed or a word rule now refuses it, LimitReached.
    """
    with transaction.atomic():
        parent = lock_parent(task)
        if parent.status not in (TaskStatus.FAILED, TaskStatus.CANCELLED):
            raise TransitionRefused
        if parent.prompt_removed_at is not None:
            raise InvalidInput(ErrorCode.PROMPT_EMPTY, "prompt")
        values = {name: getattr(parent, name) for name in SETTING_FIELDS}
        # variations have the same parent but other settings
        running = parent.retries.unfinished().filter(**values).order_by("created").first()
        if running is not None:
            return Submission(task=running, duplicate=True)
        values["parent_id"] = parent.pk
        has_webhooks = lock_owner(parent.owner)
        known = existing_submission(owner=parent.owner, values=values, key=key)
        if known is not None:
            return known
        made = insert(
            owner=parent.owner, values=values, key=key, now=now, cancel_after=cancel_after
        )
        if has_webhooks:
            begin_messages(made.task, now=now)
        return made


def lock_parent(task: GenerationTask) -> GenerationTask:
    """Read and lock the task; a task in the trash only if it was there before."""
    # variations, which refer to their parent, may be submitted meanwhile
    rows = GenerationTask.objects.select_for_update(no_key=True)
    if task.deleted_at is None:
        rows = rows.live()
    try:
        return rows.get(pk=task.pk)
    except GenerationTask.DoesNotExist as error:
        raise NotFound from error


def lock_owner(owner: User) -> bool:
    """Until the transaction ends, no other submission of this user counts or uses a key.

    Returns whether the account has webhooks: another query would cost those without. Raises
    NotFound if the account was deleted.
    """
    for (has_webhooks,) in LOCKED_OWNER.rows(owner=owner.pk):
        return bool(has_webhooks)
    raise NotFound


def existing_submission(
    *,
    owner: User,
    values: dict[str, Any],
    key: uuid.UUID | None,
    webhook: dict[str, str] | None = None,
) -> Submission | None:
    """The task with this request key, if any; raises InvalidInput if its settings differ."""
    if key is None:
        return None
    task = GenerationTask.objects.filter(owner=owner, request_key=key).first()
    if task is None:
        return None
    if not is_same_request(task, values) or not has_webhook(task, webhook):
        raise InvalidInput(ErrorCode.REQUEST_KEY_REUSED, "request_key")
    return Submission(task=task, duplicate=True)


def is_same_request(task: GenerationTask, values: dict[str, Any]) -> bool:
    """Whether `values` match the task; what is no longer in the row is ignored.

    That is a deleted parent, and prompts that were removed.
    """
    other = {name for name, value in values.items() if getattr(task, name) != value}
    if task.prompt_removed_at is not None:
        other -= {"prompt", "negative_prompt"}
    if other == {"parent_id"} and task.parent_id is None:
        return not GenerationTask.objects.filter(pk=values["parent_id"]).exists()
    return not other


def insert(
    *,
    owner: User,
    values: dict[str, Any],
    key: uuid.UUID | None,
    now: datetime,
    cancel_after: datetime | None,
) -> Submission:
    """Insert a task whose owner is locked; raises AccountLeaving, InvalidInput or LimitReached."""
    if LEAVING.rows(owner=owner.pk):
        raise AccountLeaving
    found = word_action(values["prompt"])
    charged = charge(owner_id=owner.pk, values=values, now=now)
    expected = selectors.expected_seconds(
        model=values["model"],
        width=values["width"],
        height=values["height"],
        steps=values["steps"],
    )
    task = GenerationTask.objects.create(
        owner=owner,
        request_key=key,
        correlation_id=correlation_id(),
        expected_durations=expected,
        step=Step.PARSING,
        basis=Basis.MEASURED,
        newest_seq=1,
        created=now,
        cancel_after=cancel_after,
        search_text=search_text(values["prompt"], values["model"]),
        word_action=found,
        **values,
        **charged.columns,
    )
    transaction.on_commit(broadcast.wake_workers, robust=True)
    notice = encode(task_frame(task_id=str(task.pk), seq=0, task=task.data))
    transaction.on_commit(
        partial(broadcast.publish_new_task, owner_id=owner.pk, task_id=str(task.pk), frame=notice),
        robust=True,
    )
    append(task.pk, [(NewEvent(kind=EventKind.SUBMITTED), TaskRow.of(task))], now)
    return Submission(task=task, duplicate=False, allowances=charged.allowances)
