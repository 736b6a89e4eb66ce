"""Whose turn it is in a long line, told by its owners, who are few, instead of by its tasks.

`in_line` says what the order is. All that it compares but the own place belongs to the owner, so
that the next task is always somebody's first one, and nobody's second one has to be looked at.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery

from generation.models import GenerationTask, ModelSlot

NEVER = datetime.min.replace(tzinfo=UTC)
"""Who was never served goes before everybody who was."""

BATCH_GROWTH = 8

# one step of an index for each owner, however many tasks he has: neither database groups that way
OWNERS = """
WITH RECURSIVE owners(owner_id) AS (
    SELECT min(owner_id) FROM generation_generationtask WHERE status = 'queued' AND model = %s
    UNION ALL
    SELECT (
        SELECT min(owner_id) FROM generation_generationtask
        WHERE status = 'queued' AND model = %s AND owner_id > owners.owner_id
    ) FROM owners WHERE owner_id IS NOT NULL
)
SELECT owner_id, (
    SELECT max(claimed_at) FROM generation_generationtask AS task
    WHERE task.owner_id = owners.owner_id
) FROM owners WHERE owner_id IS NOT NULL
"""

Turn = tuple[int, datetime]
"""(how many he has running, when he was served last): whose first task comes first."""


@dataclass(frozen=True, slots=True)
class First:
    """Somebody's first task that does not pause."""

    owner_id: int
    created: datetime
    task_id: uuid.UUID


def ready(model: str, now: datetime) -> QuerySet[GenerationTask]:
    """Tasks in line for `model` that do not pause, in no order."""
    return GenerationTask.objects.claimable().filter(model=model).exclude(not_before__gt=now)


def running_by_owner() -> Counter[int]:
    """Tasks in slots, of any model: there are as many of these as slots, and no more."""
    held = ModelSlot.objects.filter(task__isnull=False)
    return Counter(held.values_list("task__owner", flat=True))


def served_last(model: str) -> dict[int, datetime]:
    """Everybody of whom a task waits for `model`, and when he was served last."""
    with connection.cursor() as cursor:
        cursor.execute(OWNERS, [model, model])
        return {owner: as_moment(at) for owner, at in cursor.fetchall()}


def as_moment(value: datetime | str | None) -> datetime:
    """SQLite keeps moments as texts, in UTC."""
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value or NEVER


def firsts(owners: Collection[int], model: str, now: datetime) -> list[First]:
    """The first tasks of those of `owners` who have one that does not pause."""
    mine = ready(model, now).filter(owner=OuterRef("pk")).order_by("created", "pk")
    rows = get_user_model().objects.filter(pk__in=owners)
    rows = rows.annotate(
        came=Subquery(mine.values("created")[:1]), first=Subquery(mine.values("pk")[:1])
    )
    found = rows.values_list("pk", "came", "first")
    return [First(owner, came, task) for owner, came, task in found if task is not None]


def next_ready(model: str, now: datetime) -> uuid.UUID | None:
    """The first of `in_line`, unless it pauses."""
    running = running_by_owner()
    turns = {owner: (running[owner], served) for owner, served in served_last(model).items()}
    for owners in batches(turns):
        found = firsts(owners, model, now)
        if found:
            best = min(found, key=lambda it: (turns[it.owner_id], it.created, it.owner_id))
            return best.task_id
    return None


def batches(turns: Mapping[int, Turn]) -> Iterator[list[int]]:
    """Owners in the order of their turns, equals together; mostly the first batch is enough.

    Without a task that may begin are those whose tasks all pause or hold a slot. Should many be,
    the batches grow, so that few questions are asked.
    """
    batch: list[int] = []
    size = 1
    for _turn, equals in groupby(sorted(turns, key=turns.__getitem__), key=turns.__getitem__):
        batch += equals
        if len(batch) >= size:
            yield batch
            batch, size = [], size * BATCH_GROWTH
    if batch:
        yield batch
