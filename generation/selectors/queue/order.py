"""The order of a queue: `first_tasks` gives both the next tasks and the positions that are shown.

Turns between owners are fair. The turn of a task is the number of running tasks of its owner plus
its own position, which counts the queued tasks of that owner by their submission. Of equal turns
the lower own position is first: the other owner will be served once more before that turn. Then
comes the owner served longest ago, then the one whose first task was submitted first, then the
lower key.

Only the own position belongs to the task. So the first tasks are found by their owners, who are
few, and not by numbering every task.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from heapq import nsmallest
from itertools import groupby
from operator import attrgetter, itemgetter
from types import MappingProxyType
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import DateTimeField, TextField

from generation.choices import TaskStatus
from generation.compiled_query import CompiledQuery, Parameter
from generation.duration_prior import task_seconds
from generation.limits import NUMBERED_TASKS
from generation.models import GenerationTask, ModelSlot
from generation.sql import TASKS, placeholders

NEVER = datetime.min.replace(tzinfo=UTC)
"""Owners that were never served come before all others."""

END_OF_TIME = datetime.max.replace(tzinfo=UTC)

SLOTS = f'"{ModelSlot._meta.db_table}"'
USERS = f'"{get_user_model()._meta.db_table}"'


def utc_text(column: str) -> str:
    """SQL of a time as SQLite stores it; the driver of PostgreSQL takes longer to return a time."""
    if connection.vendor == "postgresql":
        return f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
    return column


CLAIMABLE = f"""
    task.status = '{TaskStatus.QUEUED.value}' AND task.model = %s
    AND (task.retry_at > %s) IS {{pauses}} AND task.cancel_requested_at IS NULL
    AND task.id NOT IN (SELECT task_id FROM {SLOTS} WHERE task_id IS NOT NULL)
"""  # noqa: S608
"""Parameters: model and time; `pauses` is one of PAUSES. With a join of the slots PostgreSQL would
not read from an index alone."""

QUEUED_OWNERS = f"""
WITH RECURSIVE first(owner_id) AS MATERIALIZED (
    SELECT owner_id FROM {TASKS} AS task WHERE {CLAIMABLE} ORDER BY owner_id LIMIT {NUMBERED_TASKS}
), later(owner_id) AS (
    SELECT max(owner_id) FROM first
    UNION ALL
    SELECT (
        SELECT owner_id FROM {TASKS} AS task
        WHERE {CLAIMABLE} AND task.owner_id > later.owner_id ORDER BY task.owner_id LIMIT 1
    ) FROM later WHERE owner_id IS NOT NULL
), served(owner_id, at) AS MATERIALIZED (
    SELECT owner_id, (
        SELECT max(claimed_at) FROM {TASKS} AS task WHERE task.owner_id = owners.owner_id
    ) FROM (
        SELECT owner_id FROM first UNION SELECT owner_id FROM later WHERE owner_id IS NOT NULL
    ) AS owners
)
SELECT owner_id, {utc_text("at")}, CASE WHEN at IS NULL THEN (
    SELECT {utc_text("created")} FROM {TASKS} AS task
    WHERE {CLAIMABLE} AND task.owner_id = served.owner_id ORDER BY created, id LIMIT 1
) END FROM served
"""  # noqa: S608
"""One scan of the first tasks, then one index lookup per owner, however many tasks there are: no
database plans a GROUP BY in this way, and PostgreSQL may read all tasks for `min`. The scan comes
first because a lookup takes PostgreSQL ten times as long as the next task of a scan. The first
submission decides between owners that were never served, and is read for these only."""

FIRST_OF_EACH = f"""
WITH owners(owner_id, newest) AS MATERIALIZED (
    SELECT id, (
        SELECT created FROM {TASKS} AS task WHERE {CLAIMABLE} AND task.owner_id = owner.id
        ORDER BY created, id LIMIT 1 OFFSET %s
    ) FROM {USERS} AS owner WHERE id IN ({{owner_ids}})
)
SELECT owner_id, {utc_text("created")}, id, expected_durations, image_count FROM {TASKS}
WHERE id IN (
    SELECT task.id FROM owners CROSS JOIN {TASKS} AS task
    WHERE task.owner_id = owners.owner_id AND task.created <= coalesce(owners.newest, %s)
    AND {CLAIMABLE}
) ORDER BY owner_id, created, id
"""  # noqa: S608
"""The ORM has no CTE: it would find the newest task of an owner again for each of the tasks. SQLite
joins in the order of a CROSS JOIN; rows are read by key at the end."""

ALL = f"""
SELECT owner_id, {utc_text("created")}, id, expected_durations, image_count FROM {TASKS} AS task
WHERE {CLAIMABLE} ORDER BY owner_id, created, id
"""  # noqa: S608
"""The same for all tasks of the model, in one scan."""

TWO_READY = CompiledQuery(
    GenerationTask.objects.claimable()
    .filter(model=Parameter("model", TextField()))
    .exclude(retry_at__gt=Parameter("now", DateTimeField()))
    .values_list("pk")[:2]
)

PAUSES = {True: "TRUE", False: "NOT TRUE"}


class Rank(NamedTuple):
    """What the order compares: the lowest rank is next."""

    turn: int
    own_position: int
    last_served: datetime
    came: datetime
    """When the first task of the owner was submitted."""
    owner_id: int


class QueuedTask(NamedTuple):
    """`seconds` is how long the task is expected to take."""

    rank: Rank
    task_id: uuid.UUID
    seconds: float


def next_tasks(model: str, now: datetime, *, count: int = 1) -> list[uuid.UUID]:
    """Keys of up to `count` tasks in the order of single claims; none of tasks that pause."""
    keys = [key for (key,) in TWO_READY.rows(model=model, now=now)]
    # a single task needs no order
    if len(keys) < 2:
        return keys
    tasks = first_tasks(model, now, running=running_by_owner(), count=count, each=count)
    return [task.task_id for task in tasks]


def first_tasks(
    model: str,
    now: datetime,
    *,
    running: Counter[int],
    count: int,
    each: int | None,
    paused: bool = False,
    ahead: Mapping[int, int] = MappingProxyType({}),
) -> list[QueuedTask]:
    """Up to `count` tasks in order: of those that do not pause, or of those that do.

    `running`: tasks in slots by owner, of any model. `each`: no owner has more tasks than that
    among the result; None if all tasks are in the result. `ahead`: tasks by owner that are before
    all of these.
    """
    values = (model, connection.ops.adapt_datetimefield_value(now))
    ranks = []
    for owner_id, last_served, came in queued_owners(values, paused):
        own_position = ahead.get(owner_id, 0) + 1
        turn = running[owner_id] + own_position
        ranks.append(Rank(turn, own_position, last_served, came, owner_id))
    # the first tasks of these owners are before all tasks of the others
    last = nsmallest(count, ranks)[-1][:-1] if ranks else ()
    firsts = {rank.owner_id: rank for rank in ranks if rank[:-1] <= last}
    tasks = []
    for owner_id, rows in groupby(first_of_each(firsts, each, values, paused), itemgetter(0)):
        own_tasks = list(rows)
        turn, own_position, last_served, _came, _owner_id = firsts[owner_id]
        came = as_datetime(own_tasks[0][1])
        for before, (_owner_id, _created, task_id, seconds) in enumerate(own_tasks):
            rank = Rank(turn + before, own_position + before, last_served, came, owner_id)
            tasks.append(QueuedTask(rank, task_id, seconds))
    return sorted(tasks, key=attrgetter("rank"))[:count]


def running_by_owner() -> Counter[int]:
    """Tasks in slots, of any model; there are no more of these than slots."""
    held = ModelSlot.objects.filter(task__isnull=False)
    return Counter(held.values_list("task__owner", flat=True))


def queued_owners(values: tuple[str, Any], paused: bool) -> list[tuple[int, datetime, datetime]]:
    """Owners of such tasks: key, when served last, and no later than their first submission."""
    with connection.cursor() as cursor:
        cursor.execute(QUEUED_OWNERS.format(pauses=PAUSES[paused]), values * 3)
        return [
            (owner_id, as_datetime(at), as_datetime(came))
            for owner_id, at, came in cursor.fetchall()
        ]


def as_datetime(utc: str | None) -> datetime:
    """The time that `utc_text` stands for."""
    return NEVER if utc is None else datetime.fromisoformat(f"{utc}+00:00")


def first_of_each(
    owner_ids: Collection[int], each: int | None, values: tuple[str, Any], paused: bool
) -> Iterator[tuple[int, str, uuid.UUID, float]]:
    """At least the first `each` tasks of these owners, or all: owner, submission, key, seconds.

    The submission is text in UTC.
    """
    if not owner_ids:
        return
    sql = ALL if each is None else FIRST_OF_EACH
    parameters: tuple[Any, ...] = values
    if each is not None:
        until = connection.ops.adapt_datetimefield_value(END_OF_TIME)
        parameters = (*values, each - 1, *owner_ids, until, *values)
    texts = {"pauses": PAUSES[paused], "owner_ids": placeholders(len(owner_ids))}
    with connection.cursor() as cursor:
        cursor.execute(sql.format(**texts), parameters)
        for owner_id, created, key, durations, image_count in cursor.fetchall():
            # an owner who came since the owners were read has no rank
            if owner_id not in owner_ids:
                continue
            # SQLite keeps keys as text, and both databases return JSON as text
            task_id = uuid.UUID(key) if isinstance(key, str) else key
            yield owner_id, created, task_id, task_seconds(json.loads(durations), image_count)
