"""Workers, their heartbeats, and the leases of those who went silent."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils.module_loading import import_string

from generation import images, installation, selectors
from generation.choices import InterruptReason, Route, TaskStatus, WorkerState
from generation.exceptions import TransitionRefused, WorkerRefused
from generation.log_lines import cause_of, log_line
from generation.models import GeneratedImage, GenerationTask, ModelSlot, ModelState, Worker
from generation.services.ending import interrupt

logger = logging.getLogger(__name__)

REGISTRATION = 0x4C4A_5752
"""Number of the lock under which workers of one database register."""

ORPHAN_AGE = timedelta(hours=1)

REMEMBERED = timedelta(days=7)
"""Each start of a worker makes a row; for so long it can be looked up who drew what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abandoned:
    """A slot whose worker is gone; the taker ends the call, then settles the slot."""

    slot_id: int
    task_id: uuid.UUID
    attempt: int
    model: str
    route: Route
    request_id: uuid.UUID | None
    identity: str
    stall: timedelta
    ours: bool = True
    """Whether the call was made by this installation: only then it may be aborted."""


def register_worker(
    *, host: str, pid: int, version: str, now: datetime, model_server: str = ""
) -> Worker:
    """The row of a new worker.

    Raises WorkerRefused while a live worker calls another model server: what one sees there, the
    other would call gone, and tasks would fail for good. Without a live one the new address counts.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            # one after the other: two that start at once must see each other
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [REGISTRATION])
        other = selectors.worker_elsewhere(model_server, now) if model_server else None
        if other is not None:
            raise WorkerRefused(differs(model_server, other))
        return Worker.objects.create(
            host=host,
            pid=pid,
            version=version,
            model_server=model_server,
            started=now,
            last_seen=now,
        )


def differs(model_server: str, other: Worker) -> str:
    return (
        f"This worker is set to {model_server}, but worker {str(other.pk)[:8]} ({other}) calls "
        f"{other.model_server}. All workers of one database call the same model server. "
        f"Set XINFERENCE_URL to the same address here, or stop the other workers first; "
        f"a worker that was killed counts for 15 seconds."
    )


def retire_worker(*, worker_id: uuid.UUID, now: datetime) -> None:
    Worker.objects.filter(pk=worker_id).update(state=WorkerState.STOPPED, slots=0, last_seen=now)


def forget_sessions() -> None:
    """Delete sessions whose time is over: a browser does not send them any more."""
    import_string(f"{settings.SESSION_ENGINE}.SessionStore").clear_expired()


def forget_workers(*, now: datetime) -> int:
    """Delete workers that have been gone for a week; how many. A slot they held keeps its lease."""
    gone, _by_model = Worker.objects.filter(last_seen__lt=now - REMEMBERED).delete()
    return gone


def beat(
    *,
    worker_id: uuid.UUID,
    slot_ids: Collection[int],
    draining: bool,
    now: datetime,
    paused: bool = False,
) -> list[uuid.UUID]:
    """Prolong the leases of the worker's slots; ids of its tasks that somebody wants cancelled.

    A lease that has expired is not prolonged: somebody else may be taking the slot over.
    """
    state = WorkerState.PAUSED if paused else WorkerState.RUNNING
    state = WorkerState.DRAINING if draining else state
    with transaction.atomic():
        Worker.objects.filter(pk=worker_id).update(last_seen=now, slots=len(slot_ids), state=state)
        held = ModelSlot.objects.filter(pk__in=slot_ids, worker=worker_id, lease_until__gte=now)
        held.update(lease_until=now + settings.GENERATION_LEASE)
    return cancels_of(worker_id)


def cancels_of(worker_id: uuid.UUID) -> list[uuid.UUID]:
    slots = ModelSlot.objects.filter(worker=worker_id, task__cancel_requested_at__isnull=False)
    return [key for key in slots.values_list("task", flat=True) if key is not None]


def expire_leases(*, worker_id: uuid.UUID, now: datetime) -> list[Abandoned]:
    """Take over slots whose lease has run out; their running tasks become `interrupted`."""
    taken: list[Abandoned] = []
    expired = ModelSlot.objects.filter(task__isnull=False, lease_until__lt=now)
    for slot_id in expired.order_by("lease_until").values_list("pk", flat=True):
        try:
            abandoned = take_over_slot(slot_id=slot_id, worker_id=worker_id, now=now)
        except DatabaseError as error:
            # those that are ours by now must not be forgotten with this one
            logger.warning("%s", log_line("slot_kept", slot=slot_id, cause=cause_of(error)))
            break
        if abandoned is not None:
            taken.append(abandoned)
    return taken


def expire_worker(*, worker_id: uuid.UUID, now: datetime) -> None:
    """The process is known to be dead: its leases end now instead of later."""
    a_moment_ago = now - timedelta(microseconds=1)
    with transaction.atomic():
        ModelSlot.objects.filter(worker=worker_id, lease_until__gte=now).update(
            lease_until=a_moment_ago
        )
        retire_worker(worker_id=worker_id, now=now)


def sweep_files(*, now: datetime) -> int:
    """Remove files without a row that are older than an hour; how many there were.

    A file is written before its row, so a worker that dies in between leaves one behind; a
    younger file may still get its row. Only folders of tasks that exist here, and those that
    prune could not finish, are looked at: a DATA_DIR that is used with another database for once
    must not lose its pictures.
    """
    removed = 0
    for folder in images.folders():
        try:
            removed += sweep_folder(folder, now - ORPHAN_AGE)
        except OSError as error:
            # the next folder may be removed all the same
            logger.warning("%s", log_line("folder_not_swept", folder=folder, cause=cause_of(error)))
    return removed


def sweep_folder(folder: str, moment: datetime) -> int:
    old = images.files_before(folder, moment)
    known = known_files(folder) if old else set()
    if known is None:
        condemned = f"{folder}/{images.CONDEMNED}" in old
        return images.remove_folder(folder) if condemned else 0
    orphans = [name for name in old if name not in known]
    for name in orphans:
        images.remove(name)
    return len(orphans)


def known_files(folder: str) -> set[str] | None:
    """The names of rows below `folder`, which is called like its task; None if there is no such."""
    try:
        task = GenerationTask.objects.get(pk=uuid.UUID(folder))
    except (ValueError, GenerationTask.DoesNotExist):
        return None
    rows = GeneratedImage.objects.filter(task=task).values_list("file", "thumbnail")
    return {name for pair in rows for name in pair}


def take_over_slot(*, slot_id: int, worker_id: uuid.UUID, now: datetime) -> Abandoned | None:
    """Make an expired slot ours, or None if another worker was faster."""
    with transaction.atomic():
        task = GenerationTask.objects.select_for_update(of=("self",)).filter(slot=slot_id).first()
        if task is None:
            return None
        expired = ModelSlot.objects.filter(pk=slot_id, task=task, lease_until__lt=now)
        if not expired.update(worker=worker_id, lease_until=now + settings.GENERATION_LEASE):
            return None
        slot = ModelSlot.objects.get(pk=slot_id)
        if task.status == TaskStatus.RUNNING and task.attempt == slot.attempt:
            interrupt_silent(task.pk, slot.attempt, now)
    return Abandoned(
        slot_id=slot.pk,
        task_id=task.pk,
        attempt=slot.attempt,
        model=slot.model,
        route=route_of(slot.model),
        request_id=slot.request_id,
        identity=slot.identity,
        stall=selectors.stall_limit(task.expected),
        ours=installation.is_ours(slot.request_id),
    )


def route_of(model: str) -> Route:
    route = ModelState.objects.filter(name=model).values_list("route", flat=True).first()
    return Route(route) if route else Route.TXT2IMG


def interrupt_silent(task_id: uuid.UUID, attempt: int, now: datetime) -> None:
    """`lease_expired`, unless the old worker ended the attempt in this very moment."""
    try:
        interrupt(
            task_id=task_id,
            attempt=attempt,
            reason=InterruptReason.LEASE_EXPIRED,
            detail="",
            now=now,
        )
    except TransitionRefused:
        return
