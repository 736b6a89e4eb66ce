"""The only function that changes a task: compare and set, append events, publish after commit."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from django.db import connection, transaction

from generation import broadcast, sql
from generation.choices import TERMINAL, UNFINISHED, Basis, EventKind, Step, TaskStatus
from generation.clock import clock
from generation.exceptions import TransitionRefused
from generation.models import GenerationTask, TaskEvent
from generation.protocol import EndingData, encode, event_frame
from generation.services.task_logging import log_outcome
from generation.services.task_traces import export_after_commit

RUNNING = frozenset({TaskStatus.RUNNING})
QUEUED = frozenset({TaskStatus.QUEUED})
ANY_UNFINISHED = frozenset(UNFINISHED)


class TaskRow(NamedTuple):
    """The columns of a task that each of its events repeats."""

    owner_id: int
    newest_seq: int
    status: str
    step: str
    progress: float
    basis: str
    eta_seconds: float | None
    attempt: int
    current_image: int
    error_code: str
    model: str

    @classmethod
    def of(cls, task: GenerationTask) -> TaskRow:
        return cls(*(getattr(task, name) for name in cls._fields))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """One entry of a task's log, and the columns of the task that change with it.

    `ending`: the images and times of an entry that ends the task.
    """

    kind: EventKind
    details: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    ending: EndingData | None = None

    def with_changes(self, **changes: Any) -> NewEvent:
        return replace(self, changes={**self.changes, **changes})


def transition(
    *,
    task_id: Any,
    events: Sequence[NewEvent],
    sources: Collection[TaskStatus],
    now: datetime,
    fence: int | None = None,
    wanted: bool = False,
) -> TaskRow:
    """Apply the changes of `events` to a task and append them, oldest first; returns the new row.

    Raises TransitionRefused, with nothing written, unless the status is in `sources`, the attempt
    is `fence` (None: any) and, if `wanted`, no cancel was requested. The first event must state
    every column of a frame that a later event changes, because the old row is not read.
    """
    if any(row_changes(event).keys() - row_changes(events[0]).keys() for event in events[1:]):
        raise ValueError("the first event does not state what a later one changes")
    changes = {name: value for event in events for name, value in event.changes.items()}
    # without a savepoint, because a refused transition has written nothing
    with transaction.atomic(savepoint=False):
        row = update_row(task_id, len(events), changes, sources=sources, fence=fence, wanted=wanted)
        if row is not None:
            append(task_id, list(zip(events, rows_after(row, events), strict=True)), now)
    if row is None:
        raise TransitionRefused
    return row


def update_row(
    task_id: Any,
    count: int,
    changes: Mapping[str, Any],
    *,
    sources: Collection[TaskStatus],
    fence: int | None,
    wanted: bool,
) -> TaskRow | None:
    """Take the next `count` seqs and set `changes`; None if a condition is not met."""
    columns: list[str] = []
    values: list[Any] = [count]
    for name, value in changes.items():
        column, prepared = column_value(name, value)
        columns.append(column)
        values.append(prepared)
    values += [column_value("id", task_id)[1], *(status.value for status in sources)]
    if fence is not None:
        values.append(fence)
    statement = sql.update_task(
        columns,
        statuses=len(sources),
        fenced=fence is not None,
        wanted=wanted,
        returning=TaskRow._fields,
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    return None if row is None else TaskRow(*row)


def column_value(name: str, value: Any) -> tuple[str, Any]:
    """The column name of a field and the value as the database stores it."""
    column = sql.TASK_COLUMNS[name]
    return column.column, column.get_db_prep_save(value, connection)


def rows_after(last: TaskRow, events: Sequence[NewEvent]) -> Iterator[TaskRow]:
    """The row after each event; `last` is the row after the last one."""
    first, known = last.newest_seq - len(events) + 1, dict[str, Any]()
    for number, event in enumerate(events[:-1]):
        known |= row_changes(event)
        yield last._replace(**known, newest_seq=first + number)
    yield last


def row_changes(event: NewEvent) -> dict[str, Any]:
    """The changes that frames show."""
    return {name: value for name, value in event.changes.items() if name in TaskRow._fields}


def append(task_id: Any, events: Sequence[tuple[NewEvent, TaskRow]], now: datetime) -> None:
    """Write entries, each with the row after it, and publish them after the commit."""
    rows = [task_event(task_id, event, row, now) for event, row in events]
    insert_events(rows)
    # before publishing, so that the log line exists when a page shows the event
    for event, row in events:
        log_outcome(
            task_id,
            event.kind,
            model=row.model,
            attempt=row.attempt,
            details=event.details,
            changes=event.changes,
        )
    if events[-1][1].status in TERMINAL:
        export_after_commit(task_id)
    for written, (_event, row) in zip(rows, events, strict=True):
        transaction.on_commit(partial(publish, str(task_id), written, row), robust=True)


def publish(task_id: str, written: TaskEvent, row: TaskRow) -> None:
    """Publish an event that was committed now."""
    broadcast.publish_event(
        owner_id=row.owner_id,
        task_id=task_id,
        seq=written.seq,
        frame=written.frame,
        is_over=row.status in TERMINAL,
        committed_at=clock.now().timestamp(),
    )


def task_event(task_id: Any, event: NewEvent, row: TaskRow, now: datetime) -> TaskEvent:
    frame = encode(
        event_frame(
            task_id=str(task_id),
            seq=row.newest_seq,
            kind=event.kind,
            status=TaskStatus(row.status),
            step=Step(row.step),
            progress=row.progress,
            basis=Basis(row.basis),
            eta_seconds=row.eta_seconds,
            attempt=row.attempt,
            image=row.current_image,
            details=event.details,
            timestamp=now.timestamp(),
            code=row.error_code,
            ending=event.ending,
        )
    )
    return TaskEvent(
        task_id=task_id,
        seq=row.newest_seq,
        kind=event.kind,
        step=row.step,
        progress=row.progress,
        attempt=row.attempt,
        details=event.details,
        frame=frame,
        created_at=now,
    )


def insert_events(rows: Sequence[TaskEvent]) -> None:
    """Insert events in one statement, without reading their primary keys back."""
    values = [
        column.get_db_prep_save(getattr(row, column.attname), connection)
        for row in rows
        for column in sql.EVENT_COLUMNS
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql.INSERT_EVENTS + ", ".join([sql.EVENT_VALUES] * len(rows)), values)
