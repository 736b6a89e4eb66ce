"""Numbers of the whole installation, however long its history: what waits, runs and lives now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Min, Q

from generation.choices import TERMINAL, TaskStatus, WorkerState
from generation.error_codes import ErrorCode
from generation.models import GenerationTask, ModelSlot, ModelState, Worker
from generation.selectors.review_queue import review_backlog
from generation.selectors.served_models import (
    error_of,
    known_models,
    refused_keys,
)
from generation.selectors.worker_liveness import WORKER_SILENCE, is_paused

MOST_COUNTED = 1_000
"""Of what waits for reviewers: without reviewers it would be every picture."""


@dataclass(slots=True, kw_only=True)
class ModelTotals:
    """`error`: why the model cannot be used; empty if it can. `oldest`: of its queued tasks."""

    queued: int = 0
    running: int = 0
    oldest: datetime | None = None
    ready: bool = False
    error: str = ""
    is_paused: bool = False
    """By an operator, this model alone."""
    replicas: int = 0
    slots: int = 0
    held_slots: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallationTotals:
    now: datetime
    models: dict[str, ModelTotals] = field(default_factory=dict)
    workers: dict[str, int] = field(default_factory=dict)
    """Live ones by state, every state."""
    key_refused: bool = False
    """By any model server."""
    every_key_refused: bool = False
    """By each of them, so that no model is usable."""
    is_paused: bool = False
    """Whether an operator keeps all live workers from claiming tasks."""
    reviews: dict[str, int] = field(default_factory=dict)
    """What waits for reviewers, each at most MOST_COUNTED."""

    @property
    def oldest_wait(self) -> float:
        """Seconds since the submission of the oldest task that no operator holds back, or 0."""
        claimed = [name for name, model in self.models.items() if not model.is_paused]
        return max(map(self.wait_of, claimed), default=0.0)

    def wait_of(self, model: str) -> float:
        """The same of one model, paused or not."""
        oldest = self.models[model].oldest
        return 0.0 if oldest is None else max(0.0, (self.now - oldest).total_seconds())


def installation_totals(now: datetime) -> InstallationTotals:
    """Reads indexes of unfinished tasks and small tables; never finished tasks."""
    models: dict[str, ModelTotals] = {}
    for name, state in known_models().items():
        models[name] = totals_of(state)
    unfinished = GenerationTask.objects.unfinished().order_by().values_list("status", "model")
    for status, name, count, oldest in unfinished.annotate(Count("pk"), Min("created")):
        model = models.setdefault(name, totals_of(None))
        if status == TaskStatus.QUEUED:
            model.queued, model.oldest = count, oldest
        else:
            model.running = count
    held = ModelSlot.objects.filter(task__isnull=False).order_by().values_list("model")
    for name, count in held.annotate(Count("pk")):
        models.setdefault(name, totals_of(None)).held_slots = count
    living = Worker.objects.filter(last_seen__gt=now - WORKER_SILENCE)
    working = living.filter(~Q(state=WorkerState.STOPPED)).order_by().values_list("state")
    workers = {state.value: 0 for state in WorkerState if state != WorkerState.STOPPED} | dict(
        working.annotate(Count("pk"))
    )
    key_refused, every_key_refused = refused_keys()
    return InstallationTotals(
        now=now,
        models=models,
        workers=workers,
        key_refused=key_refused,
        every_key_refused=every_key_refused,
        is_paused=is_paused(now),
        reviews={
            name: rows.order_by().values("pk")[:MOST_COUNTED].count()
            for name, rows in review_backlog().items()
        },
    )


def ended_since(moment: datetime, *, models: Collection[str]) -> dict[str, int]:
    """Tasks of these models that ended since then, by status; without those that asked too much."""
    ended = GenerationTask.objects.filter(
        status__in=sorted(TERMINAL), model__in=models, finished_at__gt=moment
    )
    ours = ended.exclude(error_code__in=(ErrorCode.PROMPT_REFUSED, ErrorCode.SIZE_REFUSED))
    return dict(ours.order_by().values_list("status").annotate(Count("pk")))


def totals_of(state: ModelState | None) -> ModelTotals:
    if state is None:
        return ModelTotals(error=error_of(None))
    return ModelTotals(
        is_paused=state.paused,
        ready=state.ready,
        error=error_of(state),
        replicas=state.replicas,
        slots=state.slots,
    )
