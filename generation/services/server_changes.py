"""Model servers as operators change them, each with its entry in the audit log."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.secret_box import encrypt
from generation import broadcast
from generation.choices import AuditAction
from generation.models import ModelServer
from generation.services.audit import record_action
from generation.services.model_servers import delete_server
from generation.services.model_sums import sum_models

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def save_server(
    *,
    server: ModelServer,
    key: str,
    remove_key: bool,
    fields: Sequence[str],
    actor: User,
    address: str,
    now: datetime,
) -> None:
    """Add or change a server; `fields` are the names of what changed, for the audit log.

    `key`: in clear; empty keeps the stored one, which `remove_key` or a variable for the key
    deletes.
    """
    change = "added" if server.pk is None else "changed"
    if key:
        server.encrypted_key = encrypt(key)
    elif remove_key or server.key_variable:
        server.encrypted_key = ""
    # what it did before the change says nothing of the server that the row names now
    server.recent_calls, server.rests, server.rested_until = "", 0, None
    if server.error_code:
        server.checked_at = None
    changed = ", ".join(fields)
    with transaction.atomic():
        server.save()
        record(server, change, actor, address, now, fields=changed)
        changed_servers(now)


def remove_server(*, server: ModelServer, actor: User, address: str, now: datetime) -> bool:
    """Delete a server; False, with nothing done, if it has calls or a setting names it."""
    with transaction.atomic():
        if not delete_server(server_id=server.pk, now=now):
            return False
        record(server, "removed", actor, address, now)
        changed_servers(now)
    return True


def check_now(*, server_ids: Collection[int]) -> int:
    """Let workers ask servers that are away when they next read the rows; the number of those.

    A row that was never checked is not paused. The others are asked all the time.
    """
    away = ModelServer.objects.filter(pk__in=server_ids, enabled=True).exclude(error_code="")
    return away.update(checked_at=None)


def changed_servers(now: datetime) -> None:
    """Users see the new sum of slots at once, and workers claim by it."""
    sum_models(now=now)
    transaction.on_commit(broadcast.wake_workers, robust=True)


def record(
    server: ModelServer, change: str, actor: User, address: str, now: datetime, **details: Any
) -> None:
    action = AuditAction.SERVER_CHANGED
    details = {"server": server.name, "change": change, **details}
    record_action(actor=actor, action=action, now=now, address=address, **details)
