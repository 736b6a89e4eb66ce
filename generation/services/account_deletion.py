"""Deleting an account with all that it owns: tasks, pictures, logs, links, tokens."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import ApiToken
from generation.choices import TERMINAL
from generation.models import GenerationTask
from generation.services.cancellation import request_cancel
from generation.services.retention import BATCH, delete_tasks


def close_account(*, user: User, now: datetime) -> int:
    """Disable the account and request the cancellation of its tasks; how many are unfinished.

    Waiting tasks end here. A task that is being drawn ends once its worker has stopped the call.
    """
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(is_active=False)
        ApiToken.objects.filter(owner=user).delete()
    for task_id in unfinished(user).values_list("pk", flat=True):
        request_cancel(task_id=task_id, now=now)
    return unfinished(user).count()


def delete_account(*, user: User) -> int:
    """Delete a batch of its finished tasks with their files, or at last the account; how many.

    Returns 0 when the account is gone, or when all that is left is tasks that still go on.
    """
    due = GenerationTask.objects.filter(owner=user, slot__isnull=True, status__in=sorted(TERMINAL))
    if gone := delete_tasks(due.order_by("pk"), BATCH):
        return gone
    if not GenerationTask.objects.filter(owner=user).exists():
        user.delete()
    return 0


def unfinished(user: User) -> QuerySet[GenerationTask]:
    return GenerationTask.objects.filter(owner=user).exclude(status__in=sorted(TERMINAL))
