"""Tells that credentials or permissions of a user changed: its open connections are checked then.

Statements that send no signals, such as `QuerySet.update`, are noticed by the periodic check.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.dispatch import Signal, receiver

from accounts.models import ApiToken

credentials_changed = Signal()
"""Sent after the commit, with `user_id`."""


def report_change(user_id: int) -> None:
    transaction.on_commit(lambda: credentials_changed.send(None, user_id=user_id))


@receiver(post_save, sender=User)
def user_saved(
    *, instance: User, created: bool, update_fields: Collection[str] | None, **_: Any
) -> None:
    """Report all changes but that of `last_login`, which every sign-in saves."""
    if not created and set(update_fields or ()) != {"last_login"}:
        report_change(instance.pk)


@receiver(post_delete, sender=User)
def user_deleted(*, instance: User, **_: Any) -> None:
    report_change(instance.pk)


@receiver(post_save, sender=ApiToken)
@receiver(post_delete, sender=ApiToken)
def token_changed(*, instance: ApiToken, created: bool = False, **_: Any) -> None:
    if not created:
        report_change(instance.owner_id)


@receiver(post_save, sender=Authenticator)
@receiver(post_delete, sender=Authenticator)
def second_factor_changed(*, instance: Authenticator, **_: Any) -> None:
    report_change(instance.user_id)


@receiver(m2m_changed, sender=User.groups.through)
@receiver(m2m_changed, sender=User.user_permissions.through)
def permissions_changed(*, instance: Any, action: str, pk_set: set[int] | None, **_: Any) -> None:
    """Report the user, or the users that got or lost the group or permission."""
    if not action.startswith("post_"):
        return
    for user_id in {instance.pk} if isinstance(instance, User) else pk_set or ():
        report_change(user_id)


@receiver(m2m_changed, sender=Group.permissions.through)
def group_permissions_changed(*, instance: Any, action: str, **_: Any) -> None:
    if not action.startswith("post_"):
        return
    groups = [instance.pk] if isinstance(instance, Group) else instance.group_set.values("pk")
    members = User.objects.filter(groups__in=groups)
    for user_id in members.values_list("pk", flat=True).distinct():
        report_change(user_id)
