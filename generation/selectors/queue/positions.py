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
from generation.estimates import task_seconds
from generation.protocol import QueuePlace
from generation.selectors.models import ModelRow
from generation.selectors.queue.order import NEVER, SHORT, in_line, is_long
from generation.selectors.queue.shares import Shares, read_shares

Turn = tuple[bool, int, int, datetime, datetime, int]
"""What the line is ordered by: the `order_by` of `in_line` without the task's own id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The line of one model; this one is empty."""

    row: ModelRow
    begins: list[float]
    """[k]: seconds until a task with k others before it begins; empty without a slot."""

    def places(self, task_ids: set[str]) -> dict[str, QueuePlace]:
        """Of those of `task_ids` that are in it."""
        return {}

    def next_place(
        self, owner_id: int, *, running: int, served: datetime, now: datetime
    ) -> QueuePlace:
        """Of a new task of this person."""
        return self.place(0)

    def seconds_until(self, before: int) -> float:
        return self.begins[before]

    def place(self, before: int) -> QueuePlace:
        """Of whoever has `before` others before him."""
        known = self.row["reason"] == QueueReason.IN_LINE and self.begins
        return {
            "position": before + 1,
            "eta_seconds": round(self.seconds_until(before), 1) if known else None,
            "basis": Basis.ESTIMATED.value,
            "reason": self.row["reason"],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortLine(Line):
    """Told task by task, next one first, by what each of them takes."""

    tasks: list[str] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    own: Counter[int] = field(default_factory=Counter)
    """Tasks per owner, the ones that pause left out: a new one goes before those."""
    came: dict[int, datetime] = field(default_factory=dict)

    def places(self, task_ids: set[str]) -> dict[str, QueuePlace]:
        return {key: self.place(i) for i, key in enumerate(self.tasks) if key in task_ids}

    def next_place(
        self, owner_id: int, *, running: int, served: datetime, now: datetime
    ) -> QueuePlace:
        own, came = self.own[owner_id], self.came.get(owner_id, now)
        turn: Turn = (False, running + own + 1, own + 1, served, came, owner_id)
        return self.place(bisect(self.turns, turn))


@dataclass(frozen=True, slots=True, kw_only=True)
class LongLine(Line):
    """Counted by its owners; begins are those of tasks that all take the same time."""

    shares: Shares
    slots: int
    seconds: float

    def places(self, task_ids: set[str]) -> dict[str, QueuePlace]:
        return {key: self.place(before) for key, before in self.shares.places(task_ids)}

    def next_place(
        self, owner_id: int, *, running: int, served: datetime, now: datetime
    ) -> QueuePlace:
        own_place = self.shares.own[owner_id] + 1
        return self.place(self.shares.others_before(owner_id, own_place, served=served, came=now))

    def seconds_until(self, before: int) -> float:
        """Farther on than `begins` tell, every slot begins one more task in the time of one."""
        beyond = max(0, before + 1 - len(self.begins))
        rounds = -(-beyond // self.slots)
        return self.begins[before - rounds * self.slots] + rounds * self.seconds


def read_line(
    row: ModelRow,
    lanes: list[float],
    running: Counter[int],
    now: datetime,
    *,
    short: int = SHORT,
) -> Line:
    """How it stands; told by its owners if it has more than `short` tasks.

    `lanes`: seconds until each slot is free. `running`: tasks in slots by owner, of any model.
    """
    if is_long(row["name"], short):
        shares = read_shares(row["name"], now, running=running)
        # if all of them pause, every task has to be looked at anyhow
        if shares.length:
            return long_line(row, lanes, shares)
    return short_line(row, lanes, now)


def empty_line(row: ModelRow, lanes: list[float]) -> Line:
    return Line(row=row, begins=begins(lanes, []))


def short_line(row: ModelRow, lanes: list[float], now: datetime) -> ShortLine:
    order = ("paused", "turn", "own_place", "last_served", "came", "owner")
    tasks: Any = in_line(row["name"], now).values_list("pk", "expected", "n", *order)
    line = ShortLine(row=row, begins=[])
    seconds = []
    for key, expected, n, paused, turn, own_place, served, came, owner in tasks:
        seconds.append(task_seconds(expected, n))
        line.tasks.append(str(key))
        line.turns.append((paused, turn, own_place, served or NEVER, came, owner))
        if not paused:
            line.own[owner] += 1
            line.came.setdefault(owner, came)
    line.begins.extend(begins(lanes, seconds))
    return line


def long_line(row: ModelRow, lanes: list[float], shares: Shares) -> LongLine:
    seconds = shares.mean_seconds()
    first = begins(lanes, repeat(seconds, SHORT))
    return LongLine(row=row, begins=first, shares=shares, slots=len(lanes), seconds=seconds)


def begins(lanes: list[float], seconds: Iterable[float]) -> list[float]:
    """[k]: when a task with k others before it begins, if those take so many seconds each."""
    free = list(lanes)
    heapify(free)
    found = free[:1]
    for each in seconds if free else ():
        heapreplace(free, free[0] + each)
        found.append(free[0])
    return found
