"""The queues of all models in one reading: the position of each task, and of a new one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Subquery

from generation.choices import Basis, QueueReason, TaskStatus
from generation.duration_prior import task_seconds
from generation.models import GenerationTask, ModelInstance, ModelSlot, ModelState
from generation.protocol import ModelData, QueuePosition
from generation.selectors.durations import UNKNOWN, ModelPace, pace_of
from generation.selectors.queue.order import NEVER
from generation.selectors.queue.positions import ModelQueue, empty_queue, read_queue
from generation.selectors.served_models import known_models, model_row
from generation.selectors.worker_liveness import is_paused, live_workers


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Result of one reading; `queues` by model, including models no longer `offered`."""

    now: datetime
    offered: list[str]
    queues: dict[str, ModelQueue]
    abandoned: list[str]
    """Running tasks whose worker has gone silent."""
    running: Counter[int]
    """Tasks in slots by owner, of any model."""
    last_served: dict[int, datetime]

    def positions(self, task_ids: Iterable[str]) -> dict[str, QueuePosition]:
        """Of the queued ones of `task_ids`; 0 for an abandoned task until it is taken over."""
        wanted = set(task_ids)
        positions: dict[str, QueuePosition] = {
            key: {
                "position": 0,
                "eta_seconds": None,
                "basis": Basis.ESTIMATED.value,
                "reason": QueueReason.NO_WORKER.value,
            }
            for key in self.abandoned
            if key in wanted
        }
        for queue in self.queues.values():
            positions |= queue.positions(wanted)
        return positions

    def wait(self, queue: ModelQueue, owner_id: int) -> QueuePosition:
        """Position of a new task of this owner, and when it would begin."""
        position = queue.next_position(
            owner_id,
            running=self.running[owner_id],
            last_served=self.last_served.get(owner_id, NEVER),
            now=self.now,
        )
        seconds = position["eta_seconds"]
        return {**position, "eta_seconds": None if seconds is None else rounded(seconds)}

    def waits(self, owner_id: int) -> list[QueuePosition]:
        """For each offered model."""
        return [self.wait(self.queues[name], owner_id) for name in self.offered]

    def models(self, waits: list[QueuePosition], paces: dict[str, ModelPace]) -> list[ModelData]:
        return [
            {**self.queues[name].row, **paces.get(name, UNKNOWN), "wait": wait}
            for name, wait in zip(self.offered, waits, strict=True)
        ]


def read_forecast(*, now: datetime, owners: Collection[int] = ()) -> Forecast:
    """All queues; `owners`: those whose new tasks `wait` will be called for."""
    waiting = set(GenerationTask.objects.waiting().values_list("model", flat=True).distinct())
    return forecast_of(waiting, now=now, owners=owners)


def queue_positions(task_ids: Collection[str], *, now: datetime) -> dict[str, QueuePosition]:
    """Of the queued ones of `task_ids`."""
    waiting = GenerationTask.objects.waiting().filter(pk__in=task_ids)
    models = set(waiting.values_list("model", flat=True))
    return forecast_of(models, now=now).positions(task_ids)


def model_offers(owner_id: int, *, now: datetime) -> list[ModelData]:
    """The models that can be requested, with the wait of a new task of this owner for each."""
    forecast = read_forecast(now=now, owners=[owner_id])
    return forecast.models(forecast.waits(owner_id), paces_of(forecast.offered))


def paces_of(models: Iterable[str]) -> dict[str, ModelPace]:
    """Read only for models with a completed task: a server may name hundreds without one."""
    drawn = GenerationTask.objects.filter(status=TaskStatus.COMPLETED, model=OuterRef("name"))
    names = {settings.XINFERENCE_MODEL}  # which may have no row
    names |= set(ModelState.objects.filter(Exists(drawn)).values_list("name", flat=True))
    return {model: pace_of(model) if model in names else UNKNOWN for model in models}


def forecast_of(
    waiting: Collection[str], *, now: datetime, owners: Collection[int] = ()
) -> Forecast:
    """Reads the queues of the models in `waiting`; those of other models count as empty."""
    workers = live_workers(now)
    paused = not workers and is_paused(now)
    known = known_models()
    slots = list(ModelSlot.objects.select_related("task"))
    usable = usable_slots()
    running = Counter(slot.task.owner_id for slot in slots if slot.task)
    queues = {}
    for name in dict.fromkeys([*known, *waiting]):
        state = known.get(name)
        # slots above that number are only held until their calls are over
        lanes = [
            seconds_left(slot, now)
            for slot in slots
            if slot.model == name and slot.number <= usable.get(slot.instance_id, 0)
        ]
        row = model_row(name, state, workers=workers, paused=paused)
        queues[name] = (
            read_queue(row, lanes, running, now) if name in waiting else empty_queue(row, lanes)
        )
    return Forecast(
        now=now,
        offered=list(known),
        queues=queues,
        abandoned=[str(slot.task_id) for slot in slots if is_abandoned(slot, now)],
        running=running,
        last_served=last_served_at(owners) if waiting and owners else {},
    )


def usable_slots() -> dict[int | None, int]:
    """Ready instance of a model → its slots, of servers that may get calls.

    Those of resting servers count only if no other server has the model ready.
    """
    ready = ModelInstance.objects.filter(
        ready=True, server__enabled=True, server__draining=False
    ).select_related("server")
    awake = {each.model for each in ready if each.server.rested_until is None}
    return {
        each.pk: each.slots
        for each in ready
        if each.server.rested_until is None or each.model not in awake
    }


def seconds_left(slot: ModelSlot, now: datetime) -> float:
    """Until the slot is free, by the estimate of the task in it."""
    task = slot.task
    if task is None:
        return 0.0
    if task.eta_seconds is not None:
        return max(0.0, task.eta_seconds)
    spent = (now - task.claimed_at).total_seconds() if task.claimed_at else 0.0
    return max(0.0, task_seconds(task.expected_durations, task.image_count) - spent)


def is_abandoned(slot: ModelSlot, now: datetime) -> bool:
    running = slot.task is not None and slot.task.status == TaskStatus.RUNNING
    return running and slot.lease_until is not None and slot.lease_until < now


def last_served_at(owners: Collection[int]) -> dict[int, datetime]:
    """When a worker last claimed a task of each owner; without owners that were never served."""
    claims = GenerationTask.objects.filter(owner=OuterRef("pk"), claimed_at__isnull=False)
    newest = Subquery(claims.order_by("-claimed_at").values("claimed_at")[:1])
    users = get_user_model().objects.filter(pk__in=owners)
    return dict(users.annotate(at=newest).filter(at__isnull=False).values_list("pk", "at"))


def rounded(seconds: float) -> int:
    """In whole seconds; the longer, the coarser, so that small changes are not published."""
    unit = 1 if seconds < 10 else 5 if seconds < 60 else 10 if seconds < 300 else 30
    return round(seconds / unit) * unit
