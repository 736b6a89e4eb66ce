"""The queue of one model as it is shown: the position of each task, and of a new one."""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heapify, heapreplace
from statistics import fmean

from django.db.models import Count, Q

from generation.choices import Basis, QueueReason, TaskStatus
from generation.limits import NUMBERED_TASKS
from generation.models import GenerationTask, ModelSlot
from generation.protocol import QueuePosition
from generation.selectors.queue.order import Rank, first_tasks
from generation.selectors.served_models import ModelRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelQueue:
    """The queue of one model; with the default values an empty one."""

    row: ModelRow
    begins: list[float]
    """[k]: seconds until a task with k others before it begins; empty without a slot."""
    numbered: dict[str, int] = field(default_factory=dict)
    """For each of the first tasks, how many are before it."""
    ranks: list[Rank] = field(default_factory=list)
    """Of the numbered tasks that do not pause: a new task goes before those that do."""
    ready: Counter[int] = field(default_factory=Counter)
    """Tasks by owner, without those that pause."""
    came: dict[int, datetime] = field(default_factory=dict)
    """When the first task of an owner was submitted, of owners with a numbered one."""
    length: int = 0

    def positions(self, task_ids: set[str]) -> dict[str, QueuePosition]:
        """Of those of `task_ids` that are in this queue."""
        found = {key: self.numbered[key] for key in task_ids & self.numbered.keys()}
        if self.length > NUMBERED_TASKS:
            # if this compared status and model, SQLite would search the whole queue by their index
            tasks = GenerationTask.objects.filter(
                pk__in=task_ids - found.keys(), cancel_requested_at__isnull=True, slot__isnull=True
            )
            found |= {
                str(key): NUMBERED_TASKS
                for key, status, model in tasks.values_list("pk", "status", "model")
                if (status, model) == (TaskStatus.QUEUED, self.row["name"])
            }
        return {key: self.position(before) for key, before in found.items()}

    def next_position(
        self, owner_id: int, *, running: int, last_served: datetime, now: datetime
    ) -> QueuePosition:
        """Of a new task of this owner."""
        own_position = self.ready[owner_id] + 1
        turn, came = running + own_position, self.came.get(owner_id, now)
        rank = Rank(turn, own_position, last_served, came, owner_id)
        return self.position(bisect(self.ranks, rank))

    def position(self, before: int) -> QueuePosition:
        """Of a task with `before` others before it; NUMBERED_TASKS stands for any higher number."""
        known = self.row["reason"] == QueueReason.IN_LINE and self.begins
        # claims may have shortened the queue between the reading of its length and of its tasks
        begins = self.begins[min(before, len(self.begins) - 1)] if known else None
        return {
            "position": before + 1,
            "eta_seconds": begins if begins is None else round(begins, 1),
            "basis": Basis.ESTIMATED.value,
            "reason": self.row["reason"],
        }


def read_queue(
    row: ModelRow, lanes: list[float], running: Counter[int], now: datetime
) -> ModelQueue:
    """`lanes`: seconds until each slot is free; `running`: tasks in slots by owner."""
    model = row["name"]
    ready, paused = count_tasks(model, now)
    # one scan of a short queue is faster than a search for each owner
    each = most_of_one(ready, running) if ready.total() > NUMBERED_TASKS else None
    tasks = first_tasks(model, now, running=running, count=NUMBERED_TASKS, each=each)
    ranks = [task.rank for task in tasks]
    room = NUMBERED_TASKS - len(tasks)
    if paused and room:
        tasks += first_tasks(
            model, now, running=running, count=room, each=room, paused=True, ahead=ready
        )
    length = ready.total() + paused
    return ModelQueue(
        row=row,
        begins=begins(lanes, [task.seconds for task in tasks], behind=length - NUMBERED_TASKS),
        numbered={str(task.task_id): before for before, task in enumerate(tasks)},
        ranks=ranks,
        ready=ready,
        came={rank.owner_id: rank.came for rank in ranks},
        length=length,
    )


def empty_queue(row: ModelRow, lanes: list[float]) -> ModelQueue:
    return ModelQueue(row=row, begins=begins(lanes, []))


def count_tasks(model: str, now: datetime) -> tuple[Counter[int], int]:
    """Tasks by owner that do not pause, and how many do."""
    # `claimable` joins the slots, which takes PostgreSQL twice as long
    held = ModelSlot.objects.filter(task__isnull=False).values("task")
    queued = GenerationTask.objects.waiting().filter(model=model, cancel_requested_at__isnull=True)
    rows = queued.exclude(pk__in=held).values_list("owner").order_by()
    counts = rows.annotate(total=Count("pk"), paused=Count("pk", filter=Q(retry_at__gt=now)))
    ready, pausing = Counter[int](), 0
    for owner_id, total, paused in counts:
        ready[owner_id] = total - paused
        pausing += paused
    return ready, pausing


def most_of_one(ready: Counter[int], running: Counter[int]) -> int:
    """How many of the first NUMBERED_TASKS one owner has at most."""
    change: Counter[int] = Counter()
    for owner_id, count in ready.items():
        change[running[owner_id]] += 1
        change[running[owner_id] + count] -= 1
    first, last = min(change, default=0), max(change, default=0)
    tasks = owners = 0
    for turn in range(first, last):
        owners += change[turn]
        tasks += owners
        if tasks >= NUMBERED_TASKS:
            return turn + 1 - first
    return last - first


def begins(lanes: list[float], seconds: list[float], *, behind: int = 0) -> list[float]:
    """[k]: when a task with k others before it begins, if those take so many seconds each.

    The last one is that of a new task behind `behind` more of their mean duration.
    """
    free = list(lanes)
    heapify(free)
    found = free[:1]
    for each in seconds if free else ():
        heapreplace(free, free[0] + each)
        found.append(free[0])
    if len(found) > 1 and behind > 0:
        found[-1] += behind * fmean(seconds) / len(lanes)
    return found
