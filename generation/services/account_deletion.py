"""Deletes an account with all that it owns: tasks, images, events, links and tokens."""

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
    """Disable the account and request the cancellation of its tasks.

    Returns the number of tasks that are still unfinished. Queued tasks end here; a running task
    ends once its worker has stopped the call.
    """
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(is_active=False)
        ApiToken.objects.filter(owner=user).delete()
    for task_id in unfinished(user).values_list("pk", flat=True):
        request_cancel(task_id=task_id, now=now)
    return unfinished(user).count()


def delete_account(*, user: User) -> int:
    """Delete a batch of the account's finished tasks with their files; returns their number.

    Without any task left the account itself is deleted. Returns 0 then, and also while only
    unfinished tasks are left.
    """
    due = GenerationTask.objects.filter(owner=user, slot__isnull=True, status__in=sorted(TERMINAL))
    if deleted := delete_tasks(due.order_by("pk"), BATCH):
        return deleted
    if not GenerationTask.objects.filter(owner=user).exists():
        user.delete()
    return 0


def unfinished(user: User) -> QuerySet[GenerationTask]:
    return GenerationTask.objects.filter(owner=user).exclude(status__in=sorted(TERMINAL))
