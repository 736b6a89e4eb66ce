"""Lines of several lengths in one table, one model each; their tasks are claimed in turn."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from time import perf_counter
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from benchmarks.inside.bulk_rows import (
    fill,
    key,
    moment,
    people,
    register,
    serve,
    settle,
    waiting_task,
)
from generation import selectors, services
from generation.choices import TaskStatus
from generation.models import GenerationTask, ModelSlot
from generation.services.claims import begin_attempts

SLOTS = 8
BUSY = 4
"""Slots that are held all the time: who has a task running is not next."""

SERVED = 5
"""Finished tasks of everybody: when he was served last is looked up among them."""

Numbers = dict[str, list[float]]


def run(*, sizes: list[int], owners: int, rounds: int, claims: int) -> dict[str, Any]:
    """By length of the line the milliseconds of every call; `fair`: was each claim as it ought."""
    lines = [Line(size, min(size, owners)) for size in sizes]
    settle()
    for number in range(rounds + 1):
        for line in lines:
            line.play(claims, counts=number > 0)
    return {
        "milliseconds": {str(line.size): line.took for line in lines},
        "fair": all(line.fair for line in lines),
    }


class Line:
    """People who wait for one model with equally many tasks each; all were served before."""

    def __init__(self, size: int, owners: int) -> None:
        self.size = size
        self.name = f"line-{size}"
        self.took: Numbers = {"claim": [], "first come": [], "places": []}
        self.fair = True
        serve(self.name, slots=SLOTS)
        self.worker_id = register()
        self.write(people(owners, self.name), owners)
        waiting = GenerationTask.objects.waiting().filter(model=self.name)
        keys = waiting.order_by("pk").values_list("pk", flat=True)[:owners]
        self.watched = [str(task_id) for task_id in keys]
        self.left = Counter(waiting.values_list("owner", flat=True))
        oldest_last = waiting.order_by("-created", "-pk").values_list("pk", flat=True)
        self.coming = list(oldest_last)
        self.taken: set[UUID] = set()
        self.turns = served_longest_ago(self.name)
        self.running: list[int] = []

    def write(self, first: int, owners: int) -> None:
        now, row = timezone.now(), waiting_task(self.name)
        owner = f"{first} + number %% {owners}"
        created = moment(now - timedelta(hours=6), "number * 0.01")
        fill(row, self.size, id=key(f"{self.name} waiting "), owner_id=owner, created=created)
        row.status, row.progress = TaskStatus.COMPLETED, 100
        row.finished_at = now - timedelta(hours=12)
        # 7,919 is a prime: who was served longest ago does not follow from who came first
        claimed_at = moment(now - timedelta(days=1), f"number * 7919 %% {owners * SERVED}")
        fill(
            row,
            owners * SERVED,
            id=key(f"{self.name} finished "),
            owner_id=owner,
            claimed_at=claimed_at,
        )
        GenerationTask.objects.filter(pk=row.pk).delete()

    def play(self, claims: int, *, counts: bool) -> None:
        """So many claims each way in turn, and one reading of the line."""
        serve(self.name, slots=SLOTS)
        while len(self.running) < BUSY:
            self.running.append(self.claim()[0].owner_id)
        took: Numbers = {"claim": [], "first come": [], "places": [self.look()]}
        for _again in range(claims):
            for name, way in (("claim", self.claim), ("first come", self.claim_first_come)):
                task, milliseconds = way()
                end(task)
                took[name].append(milliseconds)
        for name in took if counts else ():
            self.took[name] += took[name]

    def claim(self) -> tuple[GenerationTask, float]:
        """By the product's service; it must take who was served longest ago."""
        began = perf_counter()
        (claim,) = services.claim(worker_id=self.worker_id, now=timezone.now())
        milliseconds = (perf_counter() - began) * 1e3
        allowed = (o for o in self.turns if o not in self.running and self.left[o])
        self.fair &= claim.task.owner_id == next(allowed)
        self.note(claim.task)
        return claim.task, milliseconds

    def claim_first_come(self) -> tuple[GenerationTask, float]:
        """The same writes for the task that came first, whosever it is; nobody has to find it."""
        while (first := self.coming.pop()) in self.taken:
            pass
        began = perf_counter()
        with transaction.atomic():
            free = ModelSlot.objects.filter(model=self.name, task__isnull=True)
            slot = free.select_for_update(skip_locked=True).order_by("number").first()
            assert slot is not None
            now = timezone.now()
            (task,) = begin_attempts([first], worker_id=self.worker_id, now=now)
            slot.task, slot.attempt, slot.lease_until = task, task.attempt, now
            slot.worker_id = self.worker_id
            slot.save()
        milliseconds = (perf_counter() - began) * 1e3
        self.note(task)
        return task, milliseconds

    def note(self, task: GenerationTask) -> None:
        """Whoever was served now is the one whose turn is farthest away."""
        self.taken.add(task.pk)
        self.left[task.owner_id] -= 1
        self.turns.remove(task.owner_id)
        self.turns.append(task.owner_id)

    def look(self) -> float:
        """Milliseconds to find the places of one task of everybody."""
        began = perf_counter()
        places = selectors.queue_places(self.watched, now=timezone.now())
        milliseconds = (perf_counter() - began) * 1e3
        assert places
        return milliseconds


def served_longest_ago(model: str) -> list[int]:
    people = User.objects.filter(tasks__model=model)
    served = people.annotate(at=Max("tasks__claimed_at")).order_by("at")
    return list(served.values_list("pk", flat=True))


def end(task: GenerationTask) -> None:
    """Done, and its slot is free; how that is written costs another figure."""
    ModelSlot.objects.filter(task=task).update(task=None, lease_until=None)
    GenerationTask.objects.filter(pk=task.pk).update(
        status=TaskStatus.COMPLETED, progress=100, finished_at=timezone.now()
    )
