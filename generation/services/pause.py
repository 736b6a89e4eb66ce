"""Pauses of an operator, and of a copied database, which lasts until an operator types `resume`."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction

from generation import installation_id
from generation.choices import InterruptReason, TaskStatus, WorkerState
from generation.models import Installation, ModelSlot, Worker
from generation.services.completion import interrupt, lock_task
from generation.services.slots import settle_slot

ROW_KEY = 1
"""Primary key of the only row."""


class PauseLevel(StrEnum):
    """What workers must leave: nothing, claims of tasks, or whatever others could notice."""

    NONE = "nothing"
    CLAIMS = "claims"
    ALL = "everything"


@dataclass(frozen=True, slots=True)
class ResumeResult:
    """`copy`: the database was a copy and has a new id; `calls`: its slots that were freed."""

    copy: bool
    calls: int


def pause_level(*, settle: bool = True) -> PauseLevel:
    """What workers must leave now; the first call ever with `settle` ties the database to DATA_DIR.

    A pause of an operator keeps them from claiming tasks. In a copy they also end no calls and send
    no webhooks, because calls and messages may belong to the original.
    """
    row = installation_row()
    if settle and not row.settled:
        installation_id.write(row.key)
        row.settled = True
        Installation.objects.filter(pk=ROW_KEY).update(settled=True)
    if row.is_held or (row.settled and installation_id.read() != row.key):
        return PauseLevel.ALL
    return PauseLevel.CLAIMS if row.paused else PauseLevel.NONE


def installation_row() -> Installation:
    """The only row, created with the id of this DATA_DIR if there is one.

    So a DATA_DIR can be used with another database for once.
    """
    key = installation_id.read() or uuid.uuid4()
    row, _created = Installation.objects.get_or_create(pk=ROW_KEY, defaults={"key": key})
    return row


def pause() -> None:
    installation_row()
    Installation.objects.filter(pk=ROW_KEY).update(paused=True)


def hold() -> None:
    """Pause as in a copy, for a clone of the disk or machine, which cannot be recognised."""
    installation_row()
    Installation.objects.filter(pk=ROW_KEY).update(paused=True, is_held=True)


def end_pause() -> None:
    """Undo `pause` and `hold`; a copy of a database stays paused until `resume`."""
    Installation.objects.filter(pk=ROW_KEY).update(paused=False, is_held=False)


def resume(*, now: datetime) -> ResumeResult:
    """Resume in this DATA_DIR.

    In a copy all slots are freed and their tasks queued again, without any request to the model
    server: the calls belong to the original installation.
    """
    with transaction.atomic():
        installation_row()
        row = Installation.objects.select_for_update().get(pk=ROW_KEY)
        copy = row.settled and installation_id.read() != row.key
        calls = release_slots(now) if copy else 0
        row.key = uuid.uuid4() if copy else row.key
        row.paused = row.is_held = False
        row.settled = True
        row.save()
        # before the commit: if the process ends in between, the copy is still paused
        installation_id.write(row.key)
    return ResumeResult(copy=copy, calls=calls)


def join_data_dir() -> None:
    """Tie the database to this DATA_DIR too, beside those of its live workers."""
    installation_id.write(installation_row().key)


def release_slots(now: datetime) -> int:
    """Free every slot and return how many were held; their workers belong to the original."""
    Worker.objects.exclude(state=WorkerState.PAUSED).update(state=WorkerState.STOPPED, slots=0)
    held = ModelSlot.objects.filter(task__isnull=False).order_by("task")
    calls = list(held.values_list("pk", "task", "attempt"))
    for slot_id, task_id, attempt in calls:
        assert task_id is not None
        task = lock_task(task_id)
        if (task.status, task.attempt) == (TaskStatus.RUNNING, attempt):
            interrupt(
                task_id=task_id,
                attempt=attempt,
                reason=InterruptReason.HANDED_BACK,
                detail="left to the installation of which this is a copy",
                now=now,
            )
        settle_slot(slot_id=slot_id, task_id=task_id, attempt=attempt, now=now)
    return len(calls)
