"""What operators do on their page, each with its entry in the audit log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from generation import broadcast
from generation.choices import AuditAction, WorkerCondition
from generation.identifiers import parse_uuid
from generation.models import ModelServer, ModelSlot, ModelState, Worker
from generation.selectors import worker_condition
from generation.services.audit import record_action
from generation.services.leases import expire_worker
from generation.services.model_sums import sum_models
from generation.services.pause import end_pause, pause

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Details = dict[str, Any]
"""Of an entry in the audit log."""

Act = Callable[[str, datetime], Details | None]
"""(target, now) → details for the audit log; None if the action does not apply any more."""


def act(action: AuditAction, target: str, *, actor: User, address: str, now: datetime) -> bool:
    """Carry out one of ACTIONS and note it; False, with nothing done, if it does not apply now.

    `target`: a model, a model server or the id of a worker; empty for all models.
    """
    with transaction.atomic():
        details = ACTIONS[action](target, now)
        if details is None:
            return False
        record_action(actor=actor, action=action, now=now, address=address, **details)
        transaction.on_commit(broadcast.wake_workers, robust=True)
    return True


def pause_target(model: str, now: datetime) -> Details | None:
    if model:
        return set_paused(model, paused=True)
    pause()
    return {}


def resume_target(model: str, now: datetime) -> Details | None:
    if model:
        return set_paused(model, paused=False)
    end_pause()
    return {}


def set_paused(model: str, *, paused: bool) -> Details | None:
    found = ModelState.objects.filter(name=model).update(paused=paused)
    return {"model": model} if found else None


def drain_worker(worker: str, now: datetime) -> Details | None:
    return set_drained(worker, drained=True, now=now)


def undo_drain(worker: str, now: datetime) -> Details | None:
    return set_drained(worker, drained=False, now=now)


def set_drained(worker: str, *, drained: bool, now: datetime) -> Details | None:
    """A worker reads this with its heartbeat; one that is gone cannot be drained."""
    row = living_or_gone(worker, now, gone=False)
    if row is None:
        return None
    Worker.objects.filter(pk=row.pk).update(is_drained=drained)
    return named(row)


def drain_server(server: str, now: datetime) -> Details | None:
    return set_server_drained(server, drained=True, now=now)


def undo_server_drain(server: str, now: datetime) -> Details | None:
    return set_server_drained(server, drained=False, now=now)


def set_server_drained(server: str, *, drained: bool, now: datetime) -> Details | None:
    """The next claim obeys it; None if it is so already."""
    other = ModelServer.objects.filter(name=server, draining=not drained)
    if not other.update(draining=drained):
        return None
    sum_models(now=now)
    return {"server": server}


def forget_worker(worker: str, now: datetime) -> Details | None:
    """Delete the row of a worker that is gone; its slots keep their leases."""
    row = living_or_gone(worker, now, gone=True)
    if row is None:
        return None
    details = named(row)
    row.delete()
    return details


def take_over_worker(worker: str, now: datetime) -> Details | None:
    """End the leases of a worker that is gone, so that others take its slots over at once.

    Should it live after all, the fence refuses whatever it writes.
    """
    row = living_or_gone(worker, now, gone=True)
    if row is None:
        return None
    slots = ModelSlot.objects.filter(worker=row.pk, task__isnull=False).count()
    expire_worker(worker_id=row.pk, now=now)
    return {**named(row), "slots": slots}


def living_or_gone(worker: str, now: datetime, *, gone: bool) -> Worker | None:
    """The row of this worker if it is gone, or lives, as wanted."""
    worker_id = parse_uuid(worker)
    if worker_id is None:
        return None
    condition = worker_condition(worker_id, now)
    if condition is None or (condition == WorkerCondition.GONE) != gone:
        return None
    return Worker.objects.get(pk=worker_id)


def named(worker: Worker) -> Details:
    return {"worker": str(worker.pk)[:8], "host": worker.host, "pid": worker.pid}


ACTIONS: dict[AuditAction, Act] = {
    AuditAction.PAUSED: pause_target,
    AuditAction.RESUMED: resume_target,
    AuditAction.WORKER_DRAINED: drain_worker,
    AuditAction.WORKER_UNDRAINED: undo_drain,
    AuditAction.WORKER_FORGOTTEN: forget_worker,
    AuditAction.SLOTS_TAKEN_OVER: take_over_worker,
    AuditAction.SERVER_DRAINED: drain_server,
    AuditAction.SERVER_UNDRAINED: undo_server_drain,
}
