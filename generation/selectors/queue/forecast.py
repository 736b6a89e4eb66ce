"""The lines of all models in one reading: where each task stands, and where a new one would."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef

from generation.choices import Basis, QueueReason, TaskStatus
from generation.estimates import task_seconds
from generation.models import GenerationTask, ModelSlot, ModelState
from generation.protocol import ModelData, QueuePlace
from generation.selectors.durations import UNKNOWN, Pace, pace_of
from generation.selectors.models import known_models, model_row
from generation.selectors.queue.order import NEVER, last_served
from generation.selectors.queue.positions import Line, empty_line, read_line
from generation.selectors.worker_liveness import is_paused, live_workers


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What one reading found; `lines` by model, also of those that are `offered` no more."""

    now: datetime
    offered: list[str]
    lines: dict[str, Line]
    abandoned: list[str]
    """Running tasks whose worker has gone silent."""
    running: Counter[int]
    served: dict[int, datetime]

    def places(self, task_ids: Iterable[str]) -> dict[str, QueuePlace]:
        """Those of `task_ids` that wait; an abandoned one stands at 0 until it is taken over."""
        wanted = set(task_ids)
        places: dict[str, QueuePlace] = {
            key: {
                "position": 0,
                "eta_seconds": None,
                "basis": Basis.ESTIMATED.value,
                "reason": QueueReason.NO_WORKER.value,
            }
            for key in self.abandoned
            if key in wanted
        }
        for line in self.lines.values():
            places |= line.places(wanted)
        return places

    def wait(self, line: Line, owner_id: int) -> QueuePlace:
        """Where a new task of this person would stand, and when it would begin."""
        place = line.next_place(
            owner_id,
            running=self.running[owner_id],
            served=self.served.get(owner_id, NEVER),
            now=self.now,
        )
        seconds = place["eta_seconds"]
        return {**place, "eta_seconds": None if seconds is None else coarse(seconds)}

    def waits(self, owner_id: int) -> list[QueuePlace]:
        """For each offered model."""
        return [self.wait(self.lines[name], owner_id) for name in self.offered]

    def models(self, waits: list[QueuePlace], paces: dict[str, Pace]) -> list[ModelData]:
        return [
            {**self.lines[name].row, **paces.get(name, UNKNOWN), "wait": wait}
            for name, wait in zip(self.offered, waits, strict=True)
        ]


def read_outlook(*, now: datetime, owners: Collection[int] = ()) -> Outlook:
    """All lines; `owners` are those whose new tasks will be asked about."""
    waiting = set(GenerationTask.objects.waiting().values_list("model", flat=True).distinct())
    return outlook_of(waiting, now=now, owners=owners)


def queue_places(task_ids: Collection[str], *, now: datetime) -> dict[str, QueuePlace]:
    """Place, estimate and reason of those of `task_ids` that wait."""
    waiting = GenerationTask.objects.waiting().filter(pk__in=task_ids)
    models = set(waiting.values_list("model", flat=True))
    return outlook_of(models, now=now).places(task_ids)


def model_offers(owner_id: int, *, now: datetime) -> list[ModelData]:
    """The models that can be asked for, and what this person has to expect of each."""
    outlook = read_outlook(now=now, owners=[owner_id])
    return outlook.models(outlook.waits(owner_id), paces_of(outlook.offered))


def paces_of(models: Iterable[str]) -> dict[str, Pace]:
    """Asked only of models that have drawn: a server may name hundreds that never did."""
    drawn = GenerationTask.objects.filter(status=TaskStatus.COMPLETED, model=OuterRef("name"))
    names = {settings.XINFERENCE_MODEL}  # which may have no row
    names |= set(ModelState.objects.filter(Exists(drawn)).values_list("name", flat=True))
    return {model: pace_of(model) if model in names else UNKNOWN for model in models}


def outlook_of(waiting: Collection[str], *, now: datetime, owners: Collection[int] = ()) -> Outlook:
    """The lines of the models in `waiting` are read; those of the others count as empty."""
    workers = live_workers(now)
    paused = not workers and is_paused(now)
    known = known_models()
    slots = list(ModelSlot.objects.select_related("task"))
    running = Counter(slot.task.owner_id for slot in slots if slot.task)
    lines = {}
    for name in dict.fromkeys([*known, *waiting]):
        state = known.get(name)
        used = state.slots if state else 0
        # slots above that number are only held until their calls are over
        mine = [slot for slot in slots if slot.model == name and slot.number <= used]
        lanes = [seconds_left(slot, now) for slot in mine]
        row = model_row(name, state, workers=workers, paused=paused)
        lines[name] = (
            read_line(row, lanes, running, now) if name in waiting else empty_line(row, lanes)
        )
    return Outlook(
        now=now,
        offered=list(known),
        lines=lines,
        abandoned=[str(slot.task_id) for slot in slots if is_abandoned(slot, now)],
        running=running,
        served=served_at(owners) if waiting and owners else {},
    )


def seconds_left(slot: ModelSlot, now: datetime) -> float:
    """Until the slot is free, by the estimate of the task in it."""
    task = slot.task
    if task is None:
        return 0.0
    if task.eta_seconds is not None:
        return max(0.0, task.eta_seconds)
    spent = (now - task.claimed_at).total_seconds() if task.claimed_at else 0.0
    return max(0.0, task_seconds(task.expected, task.n) - spent)


def is_abandoned(slot: ModelSlot, now: datetime) -> bool:
    running = slot.task is not None and slot.task.status == TaskStatus.RUNNING
    return running and slot.lease_until is not None and slot.lease_until < now


def served_at(owners: Collection[int]) -> dict[int, datetime]:
    people = get_user_model().objects.filter(pk__in=owners)
    rows = people.annotate(at=last_served(OuterRef("pk"))).values_list("pk", "at")
    return {key: at for key, at in rows if at is not None}


def coarse(seconds: float) -> int:
    """An estimate in whole seconds, the coarser the farther: it is news only when it matters."""
    unit = 1 if seconds < 10 else 5 if seconds < 60 else 10 if seconds < 300 else 30
    return round(seconds / unit) * unit
