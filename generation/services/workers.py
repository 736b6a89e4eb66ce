"""Workers: registration and retirement."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import connection, transaction

from generation import selectors, sql
from generation.choices import WorkerState
from generation.exceptions import WorkerRefused
from generation.models import Worker

REGISTRATION = 0x4C4A_5752
"""Key of the advisory lock under which workers register."""

ROWS_KEPT = timedelta(days=7)
"""Time for which the row of a worker that is gone is kept; each start creates a row."""


def register_worker(
    *, host: str, pid: int, version: str, now: datetime, model_server: str = ""
) -> Worker:
    """Create the row of a new worker.

    Raises WorkerRefused while a live worker calls another model server: each would record the
    models of the other as gone, and tasks would fail.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            # serialised, so that two workers that start at once see each other
            with connection.cursor() as cursor:
                cursor.execute(sql.LOCK, [REGISTRATION])
        other = selectors.worker_of_other_server(model_server, now) if model_server else None
        if other is not None:
            raise WorkerRefused(mismatch_message(model_server, other))
        return Worker.objects.create(
            host=host,
            pid=pid,
            version=version,
            model_server=model_server,
            started=now,
            last_seen=now,
        )


def mismatch_message(model_server: str, other: Worker) -> str:
    return (
        f"This worker is set to {model_server}, but worker {str(other.pk)[:8]} ({other}) calls "
        f"{other.model_server}. All workers of one database call the same model servers. "
        "Set XINFERENCE_URL, XINFERENCE_URLS and XINFERENCE_SERVERS_IN_ADMIN as there, or stop "
        "the other workers first; a worker that was killed counts for 15 seconds."
    )


def retire_worker(*, worker_id: uuid.UUID, now: datetime) -> None:
    Worker.objects.filter(pk=worker_id).update(state=WorkerState.STOPPED, slots=0, last_seen=now)


def delete_old_workers(*, now: datetime) -> int:
    """Delete workers that have been gone for ROWS_KEPT; returns their number.

    A slot that one of them held keeps its lease.
    """
    deleted, _by_model = Worker.objects.filter(last_seen__lt=now - ROWS_KEPT).delete()
    return deleted
