"""Live workers, by their heartbeats."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

from generation.choices import WorkerState
from generation.models import Worker

WORKER_SILENCE = timedelta(seconds=15)
"""A worker without a heartbeat for this long counts as dead."""


def live_workers(now: datetime) -> int:
    return Worker.objects.filter(
        state=WorkerState.RUNNING, last_seen__gt=now - WORKER_SILENCE
    ).count()


def is_paused(now: datetime) -> bool:
    """Whether there are live workers, and an operator keeps all of them from claiming tasks."""
    living = Worker.objects.filter(last_seen__gt=now - WORKER_SILENCE)
    states = set(living.values_list("state", "is_drained"))
    held = {each for each in states if each[0] == WorkerState.PAUSED or each[1]}
    return bool(held) and not any(state == WorkerState.RUNNING for state, _drained in states)


def is_drained(worker_id: uuid.UUID) -> bool | None:
    """Whether an operator wants this worker to claim nothing; None if its row is gone."""
    return Worker.objects.filter(pk=worker_id).values_list("is_drained", flat=True).first()


def heartbeats(now: datetime) -> dict[uuid.UUID, datetime]:
    """Live worker → its last heartbeat, for workers that run or drain."""
    living = Worker.objects.filter(last_seen__gt=now - WORKER_SILENCE)
    working = living.filter(state__in=(WorkerState.RUNNING, WorkerState.DRAINING))
    return dict(working.values_list("pk", "last_seen"))


def any_heartbeat_between(
    before: Mapping[uuid.UUID, datetime], after: Mapping[uuid.UUID, datetime]
) -> bool:
    """Whether a worker wrote between two reads; in a copied database none does."""
    return any(after.get(worker, seen) > seen for worker, seen in before.items())


def worker_of_other_server(model_server: str, now: datetime) -> Worker | None:
    """A live worker that calls another model server, or None."""
    living = Worker.objects.filter(last_seen__gt=now - WORKER_SILENCE)
    others = living.exclude(state=WorkerState.STOPPED).exclude(model_server__in=("", model_server))
    return others.order_by("started", "pk").first()


def oldest_worker(now: datetime) -> uuid.UUID | None:
    """The live worker that started first, or None."""
    living = Worker.objects.filter(state=WorkerState.RUNNING, last_seen__gt=now - WORKER_SILENCE)
    return living.order_by("started", "pk").values_list("pk", flat=True).first()


def workers_of_host(host: str) -> list[tuple[uuid.UUID, int]]:
    """(id, pid) of the workers of `host` that did not stop cleanly."""
    rows = Worker.objects.filter(host=host).exclude(state=WorkerState.STOPPED)
    return list(rows.values_list("pk", "pid"))


def called_model_servers(now: datetime) -> list[str]:
    """Addresses that live workers call, without credentials; there should be one."""
    living = Worker.objects.filter(state=WorkerState.RUNNING, last_seen__gt=now - WORKER_SILENCE)
    named = living.exclude(model_server="").order_by("model_server")
    return list(named.values_list("model_server", flat=True).distinct())


def versions_of_workers(now: datetime) -> list[str]:
    """The versions of live workers, each once."""
    living = Worker.objects.filter(last_seen__gt=now - WORKER_SILENCE)
    rows = living.exclude(state=WorkerState.STOPPED).order_by("version")
    return list(rows.values_list("version", flat=True).distinct())
