"""The audit log: what staff did to whose task, from where."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from generation.choices import AuditAction
from generation.models import AuditEntry

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def record_action(
    *,
    actor: User,
    action: AuditAction,
    now: datetime,
    address: str = "",
    task: uuid.UUID | None = None,
    image_index: int | None = None,
    owner: User | None = None,
    **details: Any,
) -> None:
    """Append an entry; call it in the transaction of the action.

    `address`: of the client, see `accounts.client_address`; empty for a command. `details`: what
    JSON can hold, and no prompts.
    """
    AuditEntry.objects.create(
        created=now,
        actor=actor,
        actor_name=actor.get_username(),
        address=address,
        action=action,
        task=task,
        image_index=image_index,
        owner_name="" if owner is None else owner.get_username(),
        details=details,
    )
