"""The line: one queryset says both who is claimed next and the place that is shown.

Of a long line `turns` and `shares` tell the same without numbering every task.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypedDict

from django.conf import settings
from django.db.models import (
    BooleanField,
    Case,
    F,
    IntegerField,
    OuterRef,
    QuerySet,
    Subquery,
    Value,
    When,
    Window,
)
from django.db.models.functions import FirstValue, RowNumber

from generation.choices import ErrorCode, QueueReason, WorkerState
from generation.models import GenerationTask, ModelState, Worker
from generation.selectors.turns import next_ready, running_by_owner

SHORT = 1_000
"""Tasks that are numbered one by one: that is exact to the second, and of so few PostgreSQL finds
the first in 7 ms; asking 1,000 owners takes it 11 ms, however many tasks they have."""

WORKER_SILENCE = timedelta(seconds=15)
"""Without a sign of life for so long a worker counts as gone."""


def in_line(model: str, now: datetime) -> QuerySet[GenerationTask]:
    """Claimable tasks of `model`, next one first; those that are `paused` come last.

    Fair turns: a task's turn is how many its owner has running plus how many of his own stand
    before it; equal turns go to the owner who was served longest ago, then first come. Who has
    an own task before this one will have been served later than anybody was until now.
    """
    # to count these by owner itself, SQLite would walk through all tasks that ever were
    running = Case(
        *(When(owner=owner, then=Value(n)) for owner, n in running_by_owner().items()),
        default=Value(0),
        output_field=IntegerField(),
    )
    served = last_served(OuterRef("owner"))
    paused = Case(When(not_before__gt=now, then=True), default=False, output_field=BooleanField())
    own_order = ["paused", "created", "id"]
    return (
        GenerationTask.objects.claimable()
        .filter(model=model)
        .annotate(
            paused=paused,
            own_place=Window(RowNumber(), partition_by="owner", order_by=own_order),
            came=Window(FirstValue("created"), partition_by="owner", order_by=own_order),
            turn=running + F("own_place"),
            last_served=served,
        )
        .order_by(
            "paused",
            "turn",
            "own_place",
            F("last_served").asc(nulls_first=True),
            "came",
            "owner",
            "id",
        )
    )


def last_served(owner: OuterRef) -> Subquery:
    """When a worker last took a task of this person."""
    claims = GenerationTask.objects.filter(owner=owner, claimed_at__isnull=False)
    return Subquery(claims.order_by("-claimed_at").values("claimed_at")[:1])


def next_in_line(model: str, now: datetime, *, count: int = 1) -> list[uuid.UUID]:
    """Whose turn it is, of whoever may begin: up to `count`, of a long line only the first."""
    claimable = GenerationTask.objects.claimable().filter(model=model)
    # who waits alone is next, by whatever order
    rows = list(claimable.values_list("pk", "not_before")[:2])
    if len(rows) > 1:
        if is_long(model):
            first = next_ready(model, now)
            return [] if first is None else [first]
        rows = list(in_line(model, now).values_list("pk", "not_before")[:count])
    return [key for key, not_before in rows if not_before is None or not_before <= now]


def is_long(model: str, short: int = SHORT) -> bool:
    """Whether more than `short` tasks wait for it."""
    waiting = GenerationTask.objects.waiting().filter(model=model)
    return waiting[: short + 1].count() > short


def live_workers(now: datetime) -> int:
    return Worker.objects.filter(
        state=WorkerState.RUNNING, last_seen__gt=now - WORKER_SILENCE
    ).count()


def is_paused(now: datetime) -> bool:
    """Whether there are workers, and all of them are paused."""
    living = Worker.objects.filter(last_seen__gt=now - WORKER_SILENCE)
    states = set(living.values_list("state", flat=True))
    return WorkerState.PAUSED in states and WorkerState.RUNNING not in states


def heartbeats(now: datetime) -> dict[uuid.UUID, datetime]:
    """When each worker that claims tasks was last heard of, of those that may live."""
    living = Worker.objects.filter(last_seen__gt=now - WORKER_SILENCE)
    working = living.filter(state__in=(WorkerState.RUNNING, WorkerState.DRAINING))
    return dict(working.values_list("pk", "last_seen"))


def is_living(before: Mapping[uuid.UUID, datetime], after: Mapping[uuid.UUID, datetime]) -> bool:
    """Whether a worker was heard from between two readings; in a copy their times stand still."""
    return any(after.get(worker, seen) > seen for worker, seen in before.items())


def worker_elsewhere(model_server: str, now: datetime) -> Worker | None:
    """A worker that still works and calls another model server; None if there is none."""
    living = Worker.objects.filter(last_seen__gt=now - WORKER_SILENCE)
    others = living.exclude(state=WorkerState.STOPPED).exclude(model_server__in=("", model_server))
    return others.order_by("started", "pk").first()


def eldest_worker(now: datetime) -> uuid.UUID | None:
    """Of the living ones; None if there is none."""
    living = Worker.objects.filter(state=WorkerState.RUNNING, last_seen__gt=now - WORKER_SILENCE)
    return living.order_by("started", "pk").values_list("pk", flat=True).first()


def workers_of_host(host: str) -> list[tuple[uuid.UUID, int]]:
    """(id, pid) of the workers of `host` that never said goodbye."""
    rows = Worker.objects.filter(host=host).exclude(state=WorkerState.STOPPED)
    return list(rows.values_list("pk", "pid"))


def reason_to_wait(state: ModelState | None, *, workers: int, paused: bool = False) -> QueueReason:
    """Why tasks of a model stand still, or that they are just in line."""
    if not workers:
        return QueueReason.PAUSED if paused else QueueReason.NO_WORKER
    if state is None:
        return QueueReason.MODEL_DOWN
    if state.ready:
        return QueueReason.IN_LINE
    if state.error_code == ErrorCode.KEY_REFUSED:
        return QueueReason.KEY_REFUSED
    return QueueReason.MODEL_LOADING if state.loading else QueueReason.MODEL_DOWN


class ModelRow(TypedDict):
    name: str
    ready: bool
    replicas: int
    reason: str


def known_models() -> dict[str, ModelState | None]:
    """The models that can be asked for, the default one first, as workers last saw them."""
    seen = {state.name: state for state in ModelState.objects.order_by("name")}
    return {name: seen.get(name) for name in dict.fromkeys([settings.XINFERENCE_MODEL, *seen])}


def model_troubles() -> dict[str, str]:
    """For each model that can be asked for, why it cannot be used; empty if it can."""
    return {name: trouble_of(state) for name, state in known_models().items()}


def trouble_of(state: ModelState | None) -> str:
    if state is None:
        return "no worker has seen it yet"
    if state.ready:
        return ""
    return state.error_detail or ("it is loading" if state.loading else "it is not ready")


def key_refused() -> bool:
    return ModelState.objects.filter(error_code=ErrorCode.KEY_REFUSED).exists()


def called_model_servers(now: datetime) -> list[str]:
    """Without credentials, as the living workers wrote them; there should be one."""
    living = Worker.objects.filter(state=WorkerState.RUNNING, last_seen__gt=now - WORKER_SILENCE)
    named = living.exclude(model_server="").order_by("model_server")
    return list(named.values_list("model_server", flat=True).distinct())


def model_rows(*, now: datetime) -> list[ModelRow]:
    workers = live_workers(now)
    paused = not workers and is_paused(now)
    return [
        model_row(name, state, workers=workers, paused=paused)
        for name, state in known_models().items()
    ]


def model_row(name: str, state: ModelState | None, *, workers: int, paused: bool) -> ModelRow:
    return {
        "name": name,
        "ready": state is not None and state.ready and workers > 0,
        "replicas": state.replicas if state else 0,
        "reason": reason_to_wait(state, workers=workers, paused=paused).value,
    }
