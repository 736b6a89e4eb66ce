"""Whether this database belongs where it is: a copy of it waits until an operator says `resume`."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from generation import installation_id
from generation.choices import InterruptReason, TaskStatus, WorkerState
from generation.exceptions import TransitionRefused
from generation.models import Installation, ModelSlot, Worker
from generation.services.completion import interrupt, lock_task
from generation.services.slots import settle_slot

ROW_KEY = 1
"""Primary key of the one row."""


@dataclass(frozen=True, slots=True)
class ResumeResult:
    """`copy`: the installation has a new id now; `calls`: so many were left to the old one."""

    copy: bool
    calls: int


def may_claim() -> bool:
    """Whether workers may claim tasks, and end calls of their predecessors.

    Not while it is paused, nor in a copy: its running calls may be those of another installation.
    The first worker that ever asks makes DATA_DIR the place of this database.
    """
    row = installation_row()
    if not row.settled:
        installation_id.write(row.key)
        Installation.objects.filter(pk=ROW_KEY).update(settled=True)
    return not row.paused and installation_id.read() == row.key


def installation_row() -> Installation:
    """It has the id that lives here: one DATA_DIR may be used with another database for once."""
    key = installation_id.read() or uuid.uuid4()
    row, _created = Installation.objects.get_or_create(pk=ROW_KEY, defaults={"key": key})
    return row


def pause() -> None:
    installation_row()
    Installation.objects.filter(pk=ROW_KEY).update(paused=True)


def resume(*, now: datetime) -> ResumeResult:
    """Go on, in this place. In a copy, what its slots held is drawn anew, without a word to
    the model server: those calls belong to the installation that was copied."""
    with transaction.atomic():
        installation_row()
        row = Installation.objects.select_for_update().get(pk=ROW_KEY)
        copy = row.settled and installation_id.read() != row.key
        calls = release_slots(now) if copy else 0
        row.key = uuid.uuid4() if copy else row.key
        row.paused = False
        row.settled = True
        row.save()
        # before the commit: if this is as far as it gets, the copy is still paused
        installation_id.write(row.key)
    return ResumeResult(copy=copy, calls=calls)


def join_data_dir() -> None:
    """Make this DATA_DIR one more place of the database, beside that of its living workers."""
    installation_id.write(installation_row().key)


def release_slots(now: datetime) -> int:
    """Free every slot; how many were held. Their workers are not this installation's."""
    Worker.objects.exclude(state=WorkerState.PAUSED).update(state=WorkerState.STOPPED, slots=0)
    held = ModelSlot.objects.filter(task__isnull=False).order_by("task")
    calls = list(held.values_list("pk", "task", "attempt"))
    for slot_id, task_id, attempt in calls:
        assert task_id is not None
        task = lock_task(task_id)
        if (task.status, task.attempt) == (TaskStatus.RUNNING, attempt):
            hand_back(task_id, attempt, now)
        settle_slot(slot_id=slot_id, task_id=task_id, attempt=attempt, now=now)
    return len(calls)


def hand_back(task_id: uuid.UUID, attempt: int, now: datetime) -> None:
    try:
        interrupt(
            task_id=task_id,
            attempt=attempt,
            reason=InterruptReason.HANDED_BACK,
            detail="left to the installation of which this is a copy",
            now=now,
        )
    except TransitionRefused:
        return
