"""Deletes an account with all that it owns: tasks, images, events, links and tokens.

A user asks for it with `request_deletion` and can take that back until it is due. Then, or at once
by the operator's command, `close_account` ends the tasks and `delete_account` deletes them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.account_traces import delete_traces
from accounts.admin_log import delete_entries, keep_entries
from accounts.credential_changes import report_change
from accounts.models import AccountDeletion, ApiToken
from accounts.security_log import SecurityEvent, log_event
from generation.choices import TERMINAL
from generation.exceptions import LastSuperuser, NotFound
from generation.models import GenerationTask
from generation.services.cancellation import request_cancel
from generation.services.task_deletion import BATCH, delete_tasks

DELETION_DELAY = timedelta(days=1)
"""Time in which a user can take a deletion back."""


def request_deletion(*, user: User, now: datetime) -> datetime:
    """Refuse new tasks and tokens from now on, cancel all tasks, and return when it is due.

    Repeating the request changes nothing. Raises LastSuperuser, or NotFound if the account was
    deleted.
    """
    with transaction.atomic():
        lock_with_superusers(user)
        if user.is_superuser and not other_superusers(user).exists():
            raise LastSuperuser
        deletion, _created = AccountDeletion.objects.get_or_create(
            user=user, defaults={"due_at": now + DELETION_DELAY}
        )
        report_change(user.pk)
    cancel_tasks(user, now)
    return deletion.due_at


def lock_with_superusers(user: User) -> None:
    """Until the transaction ends, the user submits nothing and no superuser leaves."""
    users = User.objects.select_for_update(no_key=True).order_by("pk")
    if user.pk not in [each.pk for each in users.filter(Q(pk=user.pk) | Q(is_superuser=True))]:
        raise NotFound


def other_superusers(user: User) -> QuerySet[User]:
    """Those that can still administer the studio without `user`."""
    staying = User.objects.filter(is_superuser=True, is_active=True, deletion__isnull=True)
    return staying.exclude(pk=user.pk)


def keep_account(*, user: User) -> bool:
    """Take the requested deletion back; False if none was requested, or it has begun."""
    with transaction.atomic():
        active = User.objects.select_for_update(no_key=True).filter(pk=user.pk, is_active=True)
        if not active.exists():
            return False
        deleted, _models = AccountDeletion.objects.filter(user=user).delete()
        report_change(user.pk)
    return bool(deleted)


def close_due_accounts(*, now: datetime) -> list[User]:
    """Close the accounts whose deletion is due, and return them with those closed before.

    Nothing can be taken back from then on.
    """
    due = AccountDeletion.objects.filter(due_at__lte=now)
    closed = []
    for user in User.objects.filter(pk__in=due.values("user")):
        with transaction.atomic():
            User.objects.select_for_update(no_key=True).filter(pk=user.pk).first()
            if not due.filter(user=user).exists():
                continue
            disable(user)
        cancel_tasks(user, now)
        closed.append(user)
    return closed


def close_account(*, user: User, now: datetime) -> int:
    """Disable the account and request the cancellation of its tasks.

    Returns the number of tasks that are still unfinished. Queued tasks end here; a running task
    ends once its worker has stopped the call.
    """
    with transaction.atomic():
        disable(user)
    cancel_tasks(user, now)
    return unfinished(user).count()


def disable(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)
    # while its tokens can be found
    delete_entries(user)
    ApiToken.objects.filter(owner=user).delete()
    report_change(user.pk)


def cancel_tasks(user: User, now: datetime) -> None:
    for task_id in unfinished(user).values_list("pk", flat=True):
        request_cancel(task_id=task_id, now=now)


def delete_account(*, user: User) -> int:
    """Delete a batch of the account's finished tasks with their files; returns their number.

    Without any task left the account itself is deleted. Returns 0 then, and also while only
    unfinished tasks are left.
    """
    due = GenerationTask.objects.filter(owner=user, slot__isnull=True, status__in=sorted(TERMINAL))
    due = due.order_by("pk")
    # while its tasks can be found
    delete_entries(user)
    if deleted := delete_tasks(due, BATCH):
        return deleted
    if not GenerationTask.objects.filter(owner=user).exists():
        delete_user(user)
    return 0


def delete_user(user: User, *, by: str | None = None) -> None:
    """Delete an account without tasks; `by`: the staff member who did it, for the log."""
    delete_traces(user)
    with transaction.atomic():
        # another worker may do the same
        if User.objects.select_for_update().filter(pk=user.pk).first() is None:
            return
        delete_entries(user)
        keep_entries(user)
        user.delete()
    details = {"by": by} if by else {}
    log_event(SecurityEvent.ACCOUNT_DELETED, account=user.get_username(), address=None, **details)


def unfinished(user: User) -> QuerySet[GenerationTask]:
    return GenerationTask.objects.filter(owner=user).exclude(status__in=sorted(TERMINAL))
