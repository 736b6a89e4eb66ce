"""The one private transition: compare and set, next seqs, log lines, ring after commit."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from generation import broadcast
from generation.choices import (
    UNFINISHED,
    Basis,
    EventKind,
    Step,
    TaskStatus,
)
from generation.exceptions import TransitionRefused
from generation.models import TaskEvent
from generation.protocol import EndingData, encode, event_frame
from generation.services.outcomes import log_outcome
from generation.services.row import Row, insert_events, move_on


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of the log, and the columns of the row that change with it.

    `ending`: what the task leaves behind, of a line that ends it.
    """

    kind: EventKind
    details: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    ending: EndingData | None = None


def transition(
    *,
    task_id: Any,
    lines: Sequence[LogLine],
    sources: Collection[TaskStatus],
    now: datetime,
    fence: int | None = None,
    wanted: bool = False,
) -> Row:
    """Change the row as `lines` say and append them, oldest first; how it stands afterwards.

    Raises TransitionRefused, with nothing written, unless the row's status is in `sources`, its
    attempt is `fence` (None: any) and, if `wanted`, nobody asked to cancel it.
    What a frame shows and a later line changes, the first line has to state as well: the row's
    older values are not read.
    """
    if any(shown(line).keys() - shown(lines[0]).keys() for line in lines[1:]):
        raise ValueError("the first line does not state what a later one changes")
    changes = {name: value for line in lines for name, value in line.changes.items()}
    # no savepoint: nothing is written when it is refused, and the caller's own block decides
    with transaction.atomic(savepoint=False):
        row = move_on(task_id, len(lines), changes, sources=sources, fence=fence, wanted=wanted)
        if row is not None:
            append(task_id, list(zip(lines, each_row(row, lines), strict=True)), now)
    if row is None:
        raise TransitionRefused
    return row


def each_row(last: Row, lines: Sequence[LogLine]) -> Iterator[Row]:
    """How the row stood after each line, if it stands as `last` after the last one."""
    first, known = last.newest_seq - len(lines) + 1, dict[str, Any]()
    for number, line in enumerate(lines[:-1]):
        known |= shown(line)
        yield last._replace(**known, newest_seq=first + number)
    yield last


def shown(line: LogLine) -> dict[str, Any]:
    """Of its changes those that frames show."""
    return {name: value for name, value in line.changes.items() if name in Row._fields}


def append(task_id: Any, lines: Sequence[tuple[LogLine, Row]], now: datetime) -> None:
    """Write log lines, each with how the row stood after it, and ring once that is committed."""
    events = [event(task_id, line, row, now) for line, row in lines]
    insert_events(events)
    # before the rings: a page that knows finds the line in the log
    for line, row in lines:
        log_outcome(
            task_id,
            line.kind,
            model=row.model,
            attempt=row.attempt,
            details=line.details,
            changes=line.changes,
        )
    for written, (_line, row) in zip(events, lines, strict=True):
        ring = partial(
            broadcast.ring_event,
            owner_id=row.owner_id,
            task_id=str(task_id),
            seq=written.seq,
            frame=written.frame,
        )
        transaction.on_commit(ring, robust=True)


def event(task_id: Any, line: LogLine, row: Row, now: datetime) -> TaskEvent:
    frame = encode(
        event_frame(
            task_id=str(task_id),
            seq=row.newest_seq,
            kind=line.kind,
            status=TaskStatus(row.status),
            step=Step(row.step),
            progress=row.progress,
            basis=Basis(row.basis),
            eta_seconds=row.eta_seconds,
            attempt=row.attempt,
            image=row.image,
            details=line.details,
            timestamp=now.timestamp(),
            code=row.error_code,
            ending=line.ending,
        )
    )
    return TaskEvent(
        task_id=task_id,
        seq=row.newest_seq,
        kind=line.kind,
        step=row.step,
        progress=row.progress,
        attempt=row.attempt,
        details=line.details,
        frame=frame,
        created_at=now,
    )


RUNNING = frozenset({TaskStatus.RUNNING})
QUEUED = frozenset({TaskStatus.QUEUED})
ANY_UNFINISHED = frozenset(UNFINISHED)
