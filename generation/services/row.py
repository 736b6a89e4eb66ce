"""How a task stands, and the statements of the hot path: one moves it on, one adds to its log.

They are written by hand: the ORM would build the same ones anew each time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import connection

from generation.choices import TaskStatus
from generation.models import GenerationTask, TaskEvent


class Row(NamedTuple):
    """The columns of a task's row that every line of its log repeats."""

    owner_id: int
    newest_seq: int
    status: str
    step: str
    progress: float
    basis: str
    eta_seconds: float | None
    attempt: int
    image: int
    error_code: str
    model: str

    @classmethod
    def of(cls, task: GenerationTask) -> Row:
        return cls(*(getattr(task, name) for name in cls._fields))


def move_on(
    task_id: Any,
    count: int,
    changes: Mapping[str, Any],
    *,
    sources: Collection[TaskStatus],
    fence: int | None,
    wanted: bool,
) -> Row | None:
    """Take the next `count` seqs and set `changes`, if the row is as it has to be; else None.

    `UPDATE … RETURNING` is one statement on both databases; the ORM needs two.
    """
    assignments = ["newest_seq = newest_seq + %s"]
    values: list[Any] = [count]
    for name, value in changes.items():
        assignment, prepared = written(name, value)
        assignments.append(f"{assignment} = %s")
        values.append(prepared)
    conditions = ["id = %s", f"status IN ({', '.join(['%s'] * len(sources))})"]
    values += [written("id", task_id)[1], *(status.value for status in sources)]
    if fence is not None:
        conditions.append("attempt = %s")
        values.append(fence)
    if wanted:
        conditions.append("cancel_requested_at IS NULL")
    with connection.cursor() as cursor:
        cursor.execute(
            # only names of columns and placeholders
            f"UPDATE {GenerationTask._meta.db_table} SET {', '.join(assignments)} "  # noqa: S608
            f"WHERE {' AND '.join(conditions)} RETURNING {', '.join(Row._fields)}",
            values,
        )
        row = cursor.fetchone()
    return None if row is None else Row(*row)


def written(name: str, value: Any) -> tuple[str, Any]:
    """The column of a field, and what is stored in it."""
    column = COLUMNS[name]
    return column.column, column.get_db_prep_save(value, connection)


def insert_events(events: Sequence[TaskEvent]) -> None:
    """Rows of the log, in one statement; they do not learn their own keys."""
    values = [
        column.get_db_prep_save(getattr(event, column.attname), connection)
        for event in events
        for column in EVENT_COLUMNS
    ]
    with connection.cursor() as cursor:
        cursor.execute(INSERT_EVENTS + ", ".join([EVENT_PLACES] * len(events)), values)


COLUMNS: dict[str, Any] = {column.name: column for column in GenerationTask._meta.concrete_fields}

EVENT_COLUMNS: list[Any] = [
    column for column in TaskEvent._meta.concrete_fields if not column.primary_key
]
EVENT_PLACES = f"({', '.join(['%s'] * len(EVENT_COLUMNS))})"
INSERT_EVENTS = (
    f"INSERT INTO {TaskEvent._meta.db_table} "  # noqa: S608  only names of columns
    f"({', '.join(column.column for column in EVENT_COLUMNS)}) VALUES "
)
