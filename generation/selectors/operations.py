"""The state of queue, workers, models and web processes, as the operations page shows it."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Min, QuerySet

from generation.choices import WorkerCondition, WorkerState
from generation.identifiers import parse_uuid
from generation.models import (
    GenerationTask,
    Installation,
    ModelServer,
    ModelSlot,
    ModelState,
    WebProcess,
    Worker,
)
from generation.selectors.queue.forecast import paces_of
from generation.selectors.server_conditions import MOST_SERVERS, ServerStatus, server_statuses
from generation.selectors.worker_liveness import WORKER_SILENCE, is_paused

MOST_WORKERS = 50
MOST_MODELS = 50
MOST_WEB_PROCESSES = 50
"""Rows of each list; the page says how many are left out."""

GONE_SHOWN = timedelta(days=1)
"""Time for which a worker that is gone is listed."""

WEB_SILENCE = timedelta(seconds=30)
"""Three reports of a web process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStatus:
    worker: Worker
    condition: WorkerCondition
    silence: timedelta
    """Time since its last heartbeat."""
    tasks: list[GenerationTask]
    """Those in slots that it holds; a slot of a call that goes on without its task has none."""
    slots: int

    @property
    def is_late(self) -> bool:
        """Whether two heartbeats are missing; it may still live."""
        return self.silence > min(WORKER_SILENCE, settings.GENERATION_LEASE / 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStatus:
    state: ModelState
    used: int
    """Slots that are held."""
    queued: int
    seconds_per_step: float | None
    """Measured, of one denoising step at 512²; None before the first task."""

    @property
    def is_needed(self) -> bool:
        """Whether users notice that it cannot be used."""
        return self.state.name == settings.XINFERENCE_MODEL or self.used + self.queued > 0

    @property
    def slots(self) -> list[str]:
        """`used` or `free`, one for each slot."""
        total = max(self.state.slots, self.used)
        return ["used"] * self.used + ["free"] * (total - self.used)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """Open connections of the web processes that live."""

    processes: list[WebProcess]

    @property
    def total(self) -> int:
        return self.sockets + self.streams

    @property
    def sockets(self) -> int:
        return sum(each.sockets for each in self.processes)

    @property
    def streams(self) -> int:
        return sum(each.streams for each in self.processes)

    @property
    def polls(self) -> int:
        return sum(each.polls for each in self.processes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """Everything that the page shows of this moment."""

    now: datetime
    queued: int
    oldest_wait: float
    is_paused: bool
    """By an operator."""
    is_copy: bool
    """Workers are paused, but not by an operator: the database is a restored copy."""
    workers: list[WorkerStatus]
    models: list[ModelStatus]
    servers: list[ServerStatus]
    connections: Connections
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def used(self) -> int:
        return sum(model.used for model in self.models)

    @property
    def slots(self) -> int:
        return sum(model.state.slots for model in self.models)

    @property
    def is_working(self) -> bool:
        """Whether a worker lives, whatever it does."""
        return any(each.condition != WorkerCondition.GONE for each in self.workers)


def queue_size(now: datetime) -> tuple[int, float]:
    """How many tasks are queued, and seconds since the oldest of them was submitted."""
    queued = GenerationTask.objects.waiting().aggregate(count=Count("pk"), oldest=Min("created"))
    oldest = queued["oldest"]
    return queued["count"], 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())


def operations(*, now: datetime) -> Operations:
    queued, oldest = queue_size(now)
    slots = list(ModelSlot.objects.filter(task__isnull=False).select_related("task"))
    workers = worker_rows(now)
    models = ModelState.objects.order_by("name")
    paused = Installation.objects.filter(paused=True).exists()
    shown = [worker_status(worker, slots, now) for worker in workers[:MOST_WORKERS]]
    connections = open_connections(now)
    return Operations(
        now=now,
        queued=queued,
        oldest_wait=oldest,
        is_paused=paused,
        is_copy=not paused
        and is_paused(now)
        and any(each.condition == WorkerCondition.PAUSED for each in shown),
        workers=shown,
        models=model_statuses(list(models[:MOST_MODELS]), slots),
        servers=server_statuses(now),
        connections=connections,
        left_out={
            "workers": max(0, workers.count() - MOST_WORKERS),
            "models": max(0, models.count() - MOST_MODELS),
            "servers": max(0, ModelServer.objects.count() - MOST_SERVERS),
        },
    )


def worker_rows(now: datetime) -> QuerySet[Worker]:
    """Workers that did not stop by themselves, the ones seen last first."""
    known = Worker.objects.exclude(state=WorkerState.STOPPED)
    return known.filter(last_seen__gt=now - GONE_SHOWN).order_by("-last_seen", "pk")


def worker_status(worker: Worker, slots: list[ModelSlot], now: datetime) -> WorkerStatus:
    held = [slot for slot in slots if slot.worker_id == worker.pk]
    return WorkerStatus(
        worker=worker,
        condition=condition_of(worker, now),
        silence=now - worker.last_seen,
        tasks=[slot.task for slot in held if slot.task and slot.attempt == slot.task.attempt],
        slots=len(held),
    )


def condition_of(worker: Worker, now: datetime) -> WorkerCondition:
    if now - worker.last_seen >= WORKER_SILENCE:
        return WorkerCondition.GONE
    if worker.is_drained:
        return WorkerCondition.DRAINED
    return WorkerCondition(worker.state)


def model_statuses(states: list[ModelState], held: list[ModelSlot]) -> list[ModelStatus]:
    queues = GenerationTask.objects.waiting().values_list("model").order_by()
    queued = dict(queues.annotate(count=Count("pk")))
    used: defaultdict[str, int] = defaultdict(int)
    for slot in held:
        used[slot.model] += 1
    paces = paces_of(state.name for state in states)
    return [
        ModelStatus(
            state=state,
            used=used[state.name],
            queued=queued.get(state.name, 0),
            seconds_per_step=paces[state.name]["seconds_per_step"],
        )
        for state in states
    ]


def open_connections(now: datetime) -> Connections:
    rows = WebProcess.objects.order_by("host", "pid")
    living = rows.filter(last_seen__gt=now - WEB_SILENCE)
    return Connections(processes=list(living[:MOST_WEB_PROCESSES]))


def worker_name(worker_id: str) -> str:
    """Host and process of a worker; empty if there is none of this id."""
    key = parse_uuid(worker_id)
    worker = Worker.objects.filter(pk=key).first() if key else None
    return str(worker) if worker else ""


def worker_condition(worker_id: uuid.UUID, now: datetime) -> WorkerCondition | None:
    """None if it has no row, or stopped by itself."""
    worker = Worker.objects.filter(pk=worker_id).exclude(state=WorkerState.STOPPED).first()
    return None if worker is None else condition_of(worker, now)
