"""One line as it is shown: the place of each task, and where a new one would stand."""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heapify, heapreplace
from itertools import repeat
from typing import Any

from generation.choices import Basis, QueueReason
from generation.expected_durations import task_seconds
from generation.protocol import QueuePosition
from generation.selectors.queue.order import NEVER, NUMBERED_TASKS, is_long_queue, queue_order
from generation.selectors.queue.shares import Shares, read_shares
from generation.selectors.served_models import ModelRow

Turn = tuple[bool, int, int, datetime, datetime, int]
"""What the line is ordered by: the `order_by` of `queue_order` without the task's own id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelQueue:
    """The line of one model; this one is empty."""

    row: ModelRow
    begins: list[float]
    """[k]: seconds until a task with k others before it begins; empty without a slot."""

    def positions(self, task_ids: set[str]) -> dict[str, QueuePosition]:
        """Of those of `task_ids` that are in it."""
        return {}

    def next_position(
        self, owner_id: int, *, running: int, served: datetime, now: datetime
    ) -> QueuePosition:
        """Of a new task of this person."""
        return self.position(0)

    def seconds_until(self, before: int) -> float:
        return self.begins[before]

    def position(self, before: int) -> QueuePosition:
        """Of whoever has `before` others before him."""
        known = self.row["reason"] == QueueReason.IN_LINE and self.begins
        return {
            "position": before + 1,
            "eta_seconds": round(self.seconds_until(before), 1) if known else None,
            "basis": Basis.ESTIMATED.value,
            "reason": self.row["reason"],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortQueue(ModelQueue):
    """Told task by task, next one first, by what each of them takes."""

    tasks: list[str] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    own: Counter[int] = field(default_factory=Counter)
    """Tasks per owner, the ones that pause left out: a new one goes before those."""
    came: dict[int, datetime] = field(default_factory=dict)

    def positions(self, task_ids: set[str]) -> dict[str, QueuePosition]:
        return {key: self.position(i) for i, key in enumerate(self.tasks) if key in task_ids}

    def next_position(
        self, owner_id: int, *, running: int, served: datetime, now: datetime
    ) -> QueuePosition:
        own, came = self.own[owner_id], self.came.get(owner_id, now)
        turn: Turn = (False, running + own + 1, own + 1, served, came, owner_id)
        return self.position(bisect(self.turns, turn))


@dataclass(frozen=True, slots=True, kw_only=True)
class LongQueue(ModelQueue):
    """Counted by its owners; begins are those of tasks that all take the same time."""

    shares: Shares
    slots: int
    seconds: float

    def positions(self, task_ids: set[str]) -> dict[str, QueuePosition]:
        return {key: self.position(before) for key, before in self.shares.positions(task_ids)}

    def next_position(
        self, owner_id: int, *, running: int, served: datetime, now: datetime
    ) -> QueuePosition:
        own_place = self.shares.own[owner_id] + 1
        return self.position(
            self.shares.others_before(owner_id, own_place, served=served, came=now)
        )

    def seconds_until(self, before: int) -> float:
        """Farther on than `begins` tell, every slot begins one more task in the time of one."""
        beyond = max(0, before + 1 - len(self.begins))
        rounds = -(-beyond // self.slots)
        return self.begins[before - rounds * self.slots] + rounds * self.seconds


def read_queue(
    row: ModelRow,
    lanes: list[float],
    running: Counter[int],
    now: datetime,
    *,
    short: int = NUMBERED_TASKS,
) -> ModelQueue:
    """How it stands; told by its owners if it has more than `short` tasks.

    `lanes`: seconds until each slot is free. `running`: tasks in slots by owner, of any model.
    """
    if is_long_queue(row["name"], short):
        shares = read_shares(row["name"], now, running=running)
        # if all of them pause, every task has to be looked at anyhow
        if shares.length:
            return long_queue(row, lanes, shares)
    return short_queue(row, lanes, now)


def empty_queue(row: ModelRow, lanes: list[float]) -> ModelQueue:
    return ModelQueue(row=row, begins=begins(lanes, []))


def short_queue(row: ModelRow, lanes: list[float], now: datetime) -> ShortQueue:
    order = ("paused", "turn", "own_place", "last_served", "came", "owner")
    tasks: Any = queue_order(row["name"], now).values_list(
        "pk", "expected_durations", "image_count", *order
    )
    queue = ShortQueue(row=row, begins=[])
    seconds = []
    for key, expected, n, paused, turn, own_place, served, came, owner in tasks:
        seconds.append(task_seconds(expected, n))
        queue.tasks.append(str(key))
        queue.turns.append((paused, turn, own_place, served or NEVER, came, owner))
        if not paused:
            queue.own[owner] += 1
            queue.came.setdefault(owner, came)
    queue.begins.extend(begins(lanes, seconds))
    return queue


def long_queue(row: ModelRow, lanes: list[float], shares: Shares) -> LongQueue:
    seconds = shares.mean_seconds()
    first = begins(lanes, repeat(seconds, NUMBERED_TASKS))
    return LongQueue(row=row, begins=first, shares=shares, slots=len(lanes), seconds=seconds)


def begins(lanes: list[float], seconds: Iterable[float]) -> list[float]:
    """[k]: when a task with k others before it begins, if those take so many seconds each."""
    free = list(lanes)
    heapify(free)
    found = free[:1]
    for each in seconds if free else ():
        heapreplace(free, free[0] + each)
        found.append(free[0])
    return found
