"""The order of a queue: one queryset gives both the next task and the positions that are shown.

Of a long queue `next_ready` finds the first task by its owners, who are few, instead of by its
tasks: all that the order compares but the own place belongs to the owner.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib.auth import get_user_model
from django.db import connection
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

from generation.models import GenerationTask, ModelSlot

NUMBERED_TASKS = 1_000
"""Tasks that are numbered one by one: that is exact to the second, and of so few PostgreSQL finds
the first in 7 ms; asking 1,000 owners takes it 11 ms, however many tasks they have."""

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
), served(owner_id, at) AS MATERIALIZED (
    SELECT owner_id, (
        SELECT max(claimed_at) FROM generation_generationtask AS task
        WHERE task.owner_id = owners.owner_id
    ) FROM owners WHERE owner_id IS NOT NULL
)
SELECT owner_id, at, CASE WHEN at IS NULL THEN (
    SELECT min(created) FROM generation_generationtask AS task
    WHERE status = 'queued' AND model = %s AND task.owner_id = served.owner_id
) END FROM served
"""

Turn = tuple[int, datetime, datetime, int]
"""(how many he has running, when he was served last, when he came, owner): the least is next."""


@dataclass(frozen=True, slots=True)
class FirstTask:
    """Somebody's first task that does not pause."""

    owner_id: int
    created: datetime
    task_id: uuid.UUID


def queue_order(model: str, now: datetime) -> QuerySet[GenerationTask]:
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
    served = last_served_query(OuterRef("owner"))
    paused = Case(When(retry_at__gt=now, then=True), default=False, output_field=BooleanField())
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


def last_served_query(owner: OuterRef) -> Subquery:
    """When a worker last took a task of this person."""
    claims = GenerationTask.objects.filter(owner=owner, claimed_at__isnull=False)
    return Subquery(claims.order_by("-claimed_at").values("claimed_at")[:1])


def next_tasks(model: str, now: datetime, *, count: int = 1) -> list[uuid.UUID]:
    """Whose turn it is, of whoever may begin: up to `count`, of a long line only the first."""
    claimable = GenerationTask.objects.claimable().filter(model=model)
    # who waits alone is next, by whatever order
    rows = list(claimable.values_list("pk", "retry_at")[:2])
    if len(rows) > 1:
        if is_long_queue(model):
            first = next_ready(model, now)
            return [] if first is None else [first]
        rows = list(queue_order(model, now).values_list("pk", "retry_at")[:count])
    return [key for key, retry_at in rows if retry_at is None or retry_at <= now]


def is_long_queue(model: str, short: int = NUMBERED_TASKS) -> bool:
    """Whether more than `short` tasks wait for it."""
    waiting = GenerationTask.objects.waiting().filter(model=model)
    return waiting[: short + 1].count() > short


def ready_tasks(model: str, now: datetime) -> QuerySet[GenerationTask]:
    """Tasks in line for `model` that do not pause, in no order."""
    return GenerationTask.objects.claimable().filter(model=model).exclude(retry_at__gt=now)


def running_by_owner() -> Counter[int]:
    """Tasks in slots, of any model: there are as many of these as slots, and no more."""
    held = ModelSlot.objects.filter(task__isnull=False)
    return Counter(held.values_list("task__owner", flat=True))


def queued_owners(model: str) -> dict[int, tuple[datetime, datetime]]:
    """Of whom tasks wait for `model`: when he was served last, and no later than he came.

    The latter is looked up of those who were never served, who may be many; between others it
    hardly ever decides.
    """
    with connection.cursor() as cursor:
        cursor.execute(OWNERS, [model, model, model])
        return {
            owner: (as_datetime(at), as_datetime(came)) for owner, at, came in cursor.fetchall()
        }


def as_datetime(value: datetime | str | None) -> datetime:
    """SQLite keeps moments as texts, in UTC."""
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value or NEVER


def first_tasks(owners: Collection[int], model: str, now: datetime) -> list[FirstTask]:
    """The first tasks of those of `owners` who have one that does not pause."""
    mine = ready_tasks(model, now).filter(owner=OuterRef("pk")).order_by("created", "pk")
    rows = get_user_model().objects.filter(pk__in=owners)
    rows = rows.annotate(
        came=Subquery(mine.values("created")[:1]), first=Subquery(mine.values("pk")[:1])
    )
    found = rows.values_list("pk", "came", "first")
    return [FirstTask(owner, came, task) for owner, came, task in found if task is not None]


def next_ready(model: str, now: datetime) -> uuid.UUID | None:
    """The first of `queue_order`, unless it pauses."""
    running = running_by_owner()
    # nobody's turn is before what is known of it without looking at his tasks
    known: dict[int, Turn] = {
        owner: (running[owner], served, came, owner)
        for owner, (served, came) in queued_owners(model).items()
    }
    best: tuple[Turn, uuid.UUID] | None = None
    for owners in batches(sorted(known, key=known.__getitem__)):
        if best is not None and best[0] <= known[owners[0]]:
            break
        for each in first_tasks(owners, model, now):
            turn = (*known[each.owner_id][:2], each.created, each.owner_id)
            best = min(best or (turn, each.task_id), (turn, each.task_id))
    return None if best is None else best[1]


def batches(owners: Sequence[int]) -> Iterator[Sequence[int]]:
    """In order; mostly the first one is enough.

    Without a task that may begin are those whose tasks all pause or hold a slot. Should many be,
    the batches grow, so that few questions are asked.
    """
    begin, size = 0, 1
    while begin < len(owners):
        yield owners[begin : begin + size]
        begin, size = begin + size, size * BATCH_GROWTH
