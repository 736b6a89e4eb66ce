"""Cancels and retries by users: those of another user's task stand in the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from generation.choices import AuditAction
from generation.models import GenerationTask
from generation.services.audit import record_action
from generation.services.cancellation import Answer, request_cancel
from generation.services.submission import Submission, retry

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def cancel_by(user: User, *, task: GenerationTask, now: datetime, address: str) -> Answer:
    """`request_cancel` by a user that may change the task."""
    if task.owner_id == user.pk:
        return request_cancel(task_id=task.pk, now=now)
    with transaction.atomic():
        answer = request_cancel(task_id=task.pk, now=now)
        if answer != "already_finished":
            record(user, AuditAction.CANCELLED, task, now, address)
    return answer


def retry_by(
    user: User, *, task: GenerationTask, now: datetime, address: str, **options: Any
) -> Submission:
    """`retry` by a user that may change the task; `options` and errors are those of `retry`."""
    if task.owner_id == user.pk:
        return retry(task=task, now=now, **options)
    with transaction.atomic():
        submission = retry(task=task, now=now, **options)
        if not submission.duplicate:
            record(user, AuditAction.RETRIED, task, now, address)
    return submission


def record(
    user: User, action: AuditAction, task: GenerationTask, now: datetime, address: str
) -> None:
    record_action(
        actor=user, action=action, now=now, address=address, task=task.pk, owner=task.owner
    )
