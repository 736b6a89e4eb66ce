"""Append events as a worker does, and as bare rows with a given seq."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any

from channels.db import database_sync_to_async
from django.db import connection, transaction
from django.utils import timezone

from benchmarks.inside.bulk_rows import HALF_DRAWN, running_task
from benchmarks.inside.timing import Side, in_turn
from generation import broadcast, services
from generation.choices import Basis, Step
from generation.models import TaskEvent
from generation.services import Boundary

COALESCED = 20
"""Events per transaction on the side that writes several."""

UNNUMBERED = 1_000_000
"""First seq of the bare rows, beyond the log's."""

NEXT_SEQ = (
    "UPDATE generation_generationtask SET newest_seq = newest_seq + 1, progress = 50 "
    "WHERE id = %s AND status = 'running' AND attempt = 1 RETURNING newest_seq"
)


def run(*, rounds: int, times: int) -> dict[str, list[float]]:
    """Median milliseconds of each round by side, for one call."""
    with asyncio.Runner() as runner:
        runner.run(start_ringing())
        try:
            appends = runner.run(database_sync_to_async(Appends)())
            return in_turn(sides_of(appends, runner), rounds, times)
        finally:
            runner.run(broadcast.publisher.stop())


async def start_ringing() -> None:
    broadcast.publisher.start()


def sides_of(appends: Appends, runner: asyncio.Runner) -> dict[str, Side]:
    """Every write runs in the database thread, as a worker's writes do."""

    def side(write: Callable[[], object]) -> Side:
        return lambda: runner.run(database_sync_to_async(write)())

    return {
        "bare insert": side(appends.insert),
        "two statements by hand": side(appends.by_hand),
        "ours": side(appends.progress),
        "ours, 20 in one transaction": side(appends.steps),
    }


class Appends:
    """One running task, and the columns of its newest event."""

    def __init__(self) -> None:
        claim = running_task()
        self.task_id, self.attempt = claim.task.pk, claim.task.attempt
        self.progress()
        last = claim.task.events.latest("seq")
        self.event = {
            field.attname: getattr(last, field.attname)
            for field in TaskEvent._meta.concrete_fields
            if not field.primary_key
        }
        self.stored: dict[str, Any] = {
            str(field.column): field.get_db_prep_save(getattr(last, field.attname), connection)
            for field in TaskEvent._meta.concrete_fields
            if not field.primary_key
        }
        self.numbers = count(UNNUMBERED)

    def insert(self) -> None:
        TaskEvent.objects.create(**{**self.event, "seq": next(self.numbers)})

    def by_hand(self) -> None:
        """The fewest statements that take the next seq of a log without gaps; no notification."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(NEXT_SEQ, [self.stored["task_id"]])
            values = {**self.stored, "seq": cursor.fetchone()[0]}
            cursor.execute(
                f"INSERT INTO generation_taskevent ({', '.join(values)}) "
                f"VALUES ({', '.join(['%s'] * len(values))})",
                list(values.values()),
            )

    def progress(self) -> None:
        services.record_progress(
            task_id=self.task_id, attempt=self.attempt, seen=[HALF_DRAWN], now=timezone.now()
        )

    def steps(self) -> None:
        boundary = Boundary(
            step=Step.GENERATING,
            progress=50.0,
            basis=Basis.MEASURED,
            eta_seconds=1.0,
            image=1,
            details={},
        )
        services.record_progress(
            task_id=self.task_id,
            attempt=self.attempt,
            seen=[boundary] * COALESCED,
            now=timezone.now(),
        )
