"""Claim tasks from queues of several lengths, one model each, in one table."""

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
    create_users,
    fill,
    key,
    make_ready,
    moment,
    new_worker,
    vacuum,
    waiting_task,
)
from generation import selectors, services
from generation.choices import TaskStatus
from generation.models import GenerationTask, ModelSlot
from generation.services.claims import begin_attempts

SLOTS = 8
BUSY = 4
"""Slots that stay held: owners with a running task are not next."""

SERVED = 5
"""Finished tasks per owner; the last claim is found among them."""

Numbers = dict[str, list[float]]


def run(*, sizes: list[int], owners: int, rounds: int, claims: int) -> dict[str, Any]:
    """Milliseconds of every call by queue length; `fair`: every claim was in order."""
    queues = [MeasuredQueue(size, min(size, owners)) for size in sizes]
    vacuum()
    for number in range(rounds + 1):
        for queue in queues:
            queue.run_round(claims, counts=number > 0)
    return {
        "milliseconds": {str(queue.size): queue.took for queue in queues},
        "fair": all(queue.fair for queue in queues),
    }


class MeasuredQueue:
    """Owners with equally many queued tasks of one model, all served before."""

    def __init__(self, size: int, owners: int) -> None:
        self.size = size
        self.name = f"queue-{size}"
        self.took: Numbers = {"claim": [], "first come": [], "positions": []}
        self.fair = True
        make_ready(self.name, slots=SLOTS)
        self.worker_id = new_worker()
        self.write(create_users(owners, self.name), owners)
        waiting = GenerationTask.objects.waiting().filter(model=self.name)
        keys = waiting.order_by("pk").values_list("pk", flat=True)[:owners]
        self.watched = [str(task_id) for task_id in keys]
        self.left = Counter(waiting.values_list("owner", flat=True))
        oldest_last = waiting.order_by("-created", "-pk").values_list("pk", flat=True)
        self.coming = list(oldest_last)
        self.taken: set[UUID] = set()
        self.owners_by_turn = served_longest_ago(self.name)
        self.running: list[int] = []

    def write(self, first: int, owners: int) -> None:
        now, row = timezone.now(), waiting_task(self.name)
        owner = f"{first} + number %% {owners}"
        created = moment(now - timedelta(hours=6), "number * 0.01")
        fill(row, self.size, id=key(f"{self.name} waiting "), owner_id=owner, created=created)
        row.status, row.progress = TaskStatus.COMPLETED, 100
        row.finished_at = now - timedelta(hours=12)
        # 7,919 is a prime: the order of last claims must not follow the order of submission
        claimed_at = moment(now - timedelta(days=1), f"number * 7919 %% {owners * SERVED}")
        fill(
            row,
            owners * SERVED,
            id=key(f"{self.name} finished "),
            owner_id=owner,
            claimed_at=claimed_at,
        )
        GenerationTask.objects.filter(pk=row.pk).delete()

    def run_round(self, claims: int, *, counts: bool) -> None:
        """`claims` claims each way in turn, and one read of the positions."""
        make_ready(self.name, slots=SLOTS)
        while len(self.running) < BUSY:
            self.running.append(self.claim()[0].owner_id)
        took: Numbers = {"claim": [], "first come": [], "positions": [self.read_positions()]}
        for _again in range(claims):
            for name, way in (("claim", self.claim), ("first come", self.claim_first_come)):
                task, milliseconds = way()
                end(task)
                took[name].append(milliseconds)
        for name in took if counts else ():
            self.took[name] += took[name]

    def claim(self) -> tuple[GenerationTask, float]:
        """Claim by the product's service, which must take the owner served longest ago."""
        began = perf_counter()
        (claim,) = services.claim(worker_id=self.worker_id, now=timezone.now())
        milliseconds = (perf_counter() - began) * 1e3
        allowed = (o for o in self.owners_by_turn if o not in self.running and self.left[o])
        self.fair &= claim.task.owner_id == next(allowed)
        self.note(claim.task)
        return claim.task, milliseconds

    def claim_first_come(self) -> tuple[GenerationTask, float]:
        """The same writes for the oldest task, which is known beforehand."""
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
        """Move the owner to the end of the turns."""
        self.taken.add(task.pk)
        self.left[task.owner_id] -= 1
        self.owners_by_turn.remove(task.owner_id)
        self.owners_by_turn.append(task.owner_id)

    def read_positions(self) -> float:
        """Milliseconds to read the position of one task per owner."""
        began = perf_counter()
        positions = selectors.queue_positions(self.watched, now=timezone.now())
        milliseconds = (perf_counter() - began) * 1e3
        assert positions
        return milliseconds


def served_longest_ago(model: str) -> list[int]:
    owners = User.objects.filter(tasks__model=model)
    served = owners.annotate(at=Max("tasks__claimed_at")).order_by("at")
    return list(served.values_list("pk", flat=True))


def end(task: GenerationTask) -> None:
    """Complete the task and free its slot, outside the measured time."""
    ModelSlot.objects.filter(task=task).update(task=None, lease_until=None)
    GenerationTask.objects.filter(pk=task.pk).update(
        status=TaskStatus.COMPLETED, progress=100, finished_at=timezone.now()
    )
