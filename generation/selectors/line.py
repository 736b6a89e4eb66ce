"""The line: one queryset gives both who is claimed next and the place that is shown."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    Count,
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

from generation.choices import Basis, ErrorCode, QueueReason, TaskStatus, WorkerState
from generation.models import GenerationTask, ModelSlot, ModelState, Worker
from generation.protocol import QueuePlace
from generation.selectors.expectations import task_seconds

WORKER_SILENCE = timedelta(seconds=15)
"""Without a sign of life for so long a worker counts as gone."""


def in_line(model: str, now: datetime) -> QuerySet[GenerationTask]:
    """Claimable tasks of `model`, next one first; those that are `paused` come last.

    Fair turns: a task's turn is how many its owner has running plus how many of his own stand
    before it; equal turns go to the owner who was served longest ago, then first come. Who has
    an own task before this one will have been served later than anybody was until now.
    """
    # there are as many of these as slots, and no more
    busy = ModelSlot.objects.filter(task__isnull=False).values_list("task__owner")
    running = Case(
        *(When(owner=owner, then=Value(n)) for owner, n in busy.annotate(n=Count("pk")).order_by()),
        default=Value(0),
        output_field=IntegerField(),
    )
    served = (
        GenerationTask.objects.filter(owner=OuterRef("owner"), claimed_at__isnull=False)
        .order_by("-claimed_at")
        .values("claimed_at")[:1]
    )
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
            last_served=Subquery(served),
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


def next_in_line(model: str, now: datetime) -> uuid.UUID | None:
    """Whose turn it is, if anybody may begin."""
    first = in_line(model, now).values_list("pk", "not_before").first()
    if first is None:
        return None
    key, not_before = first
    return None if not_before is not None and not_before > now else key


def live_workers(now: datetime) -> int:
    return Worker.objects.filter(
        state=WorkerState.RUNNING, last_seen__gt=now - WORKER_SILENCE
    ).count()


def workers_of_host(host: str) -> list[tuple[uuid.UUID, int]]:
    """(id, pid) of the workers of `host` that never said goodbye."""
    rows = Worker.objects.filter(host=host).exclude(state=WorkerState.STOPPED)
    return list(rows.values_list("pk", "pid"))


def reason_to_wait(state: ModelState | None, *, workers: int) -> QueueReason:
    """Why tasks of a model stand still, or that they are just in line."""
    if not workers:
        return QueueReason.NO_WORKER
    if state is None:
        return QueueReason.MODEL_DOWN
    if state.ready:
        return QueueReason.IN_LINE
    if state.error_code == ErrorCode.KEY_REFUSED:
        return QueueReason.KEY_REFUSED
    return QueueReason.MODEL_LOADING if state.loading else QueueReason.MODEL_DOWN


def queue_places(task_ids: Collection[str], *, now: datetime) -> dict[str, QueuePlace]:
    """Place, estimate and reason of those of `task_ids` that wait; one line is read per model.

    A running task whose worker has gone silent waits too: place 0, until somebody takes it over.
    """
    waiting = GenerationTask.objects.waiting().filter(pk__in=task_ids)
    models = set(waiting.values_list("model", flat=True))
    states = {state.name: state for state in ModelState.objects.filter(name__in=models)}
    workers = live_workers(now) if models else 0
    places = abandoned_places(task_ids, now)
    for model in models:
        reason = reason_to_wait(states.get(model), workers=workers)
        places |= places_of_model(model, reason, set(map(str, task_ids)), now)
    return places


def abandoned_places(task_ids: Collection[str], now: datetime) -> dict[str, QueuePlace]:
    slots = ModelSlot.objects.filter(
        task__in=[uuid.UUID(key) for key in task_ids],
        task__status=TaskStatus.RUNNING,
        lease_until__lt=now,
    )
    return {
        str(key): {
            "position": 0,
            "eta_seconds": None,
            "basis": Basis.ESTIMATED.value,
            "reason": QueueReason.NO_WORKER.value,
        }
        for key in slots.values_list("task", flat=True)
    }


def places_of_model(
    model: str, reason: QueueReason, wanted: set[str], now: datetime
) -> dict[str, QueuePlace]:
    lanes = lanes_of_model(model, now)
    places: dict[str, QueuePlace] = {}
    line = in_line(model, now).values_list("pk", "expected", "n")
    for position, (key, expected, n) in enumerate(line, start=1):
        lanes.sort()
        begins = lanes[0] if lanes else None
        if lanes:
            lanes[0] += task_seconds(expected, n)
        if str(key) in wanted:
            known = reason == QueueReason.IN_LINE and begins is not None
            places[str(key)] = {
                "position": position,
                "eta_seconds": round(begins, 1) if known and begins is not None else None,
                "basis": Basis.ESTIMATED.value,
                "reason": reason.value,
            }
    return places


def lanes_of_model(model: str, now: datetime) -> list[float]:
    """Seconds until each slot of the model is free, by the estimates of the tasks in them."""
    states = ModelState.objects.filter(name=model)
    # slots above that number are only held until their calls are over
    used = states.values("slots")[:1]
    rows: Any = ModelSlot.objects.filter(model=model, number__lte=Subquery(used)).values_list(
        "task", "task__eta_seconds", "task__expected", "task__n", "task__claimed_at"
    )
    lanes: list[float] = []
    for task, eta, expected, n, claimed_at in rows:
        if task is None:
            lanes.append(0.0)
            continue
        if eta is None:
            spent = (now - claimed_at).total_seconds() if claimed_at else 0.0
            eta = task_seconds(expected, n) - spent
        lanes.append(max(0.0, eta))
    return lanes
