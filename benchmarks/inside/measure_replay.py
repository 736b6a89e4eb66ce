"""Read a task's log from a large table: as the product does, and with a bare SELECT."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.forms import model_to_dict
from django.utils import timezone

from benchmarks.inside.bulk_rows import HALF_DRAWN, fill, key, key_of, moment, running_task, vacuum
from benchmarks.inside.timing import Side, in_turn
from generation import selectors, services
from generation.hub import SocketOutbox, Subscription
from generation.models import TaskEvent

LOG = 1_000
TAIL = 10
AT_ONCE = 20
"""Tasks that run at the same time, whose events interleave."""

BARE = "SELECT seq, frame FROM generation_taskevent WHERE task_id = %s AND seq > %s ORDER BY seq"
TASK = TaskEvent._meta.get_field("task")


def run(*, tasks: int, rounds: int, times: int) -> dict[str, list[float]]:
    """Median milliseconds of each round by side."""
    write_logs(tasks)
    with asyncio.Runner() as runner:
        return in_turn(Logs(tasks, runner).sides(), rounds, times)


def write_logs(tasks: int) -> None:
    """Copies of a running task and of one of its events."""
    claim = running_task()
    services.record_progress(
        task_id=claim.task.pk, attempt=claim.task.attempt, seen=[HALF_DRAWN], now=timezone.now()
    )
    event = claim.task.events.latest("seq")
    begun = timezone.now()
    fill(claim.task, tasks, id=key("task"), created=moment(begun))
    # one group of tasks after another; within a group the tasks alternate
    group = AT_ONCE * LOG
    task = f"number / {group} * {AT_ONCE} + number %% {AT_ONCE}"
    seq = f"number %% {group} / {AT_ONCE} + 1"
    frame = event.frame.replace("'", "''").replace("%", "%%")
    before, after = re.split(r'(?<="seq":)\d+', frame)
    fill(
        event,
        tasks * LOG,
        task_id=key("task", task),
        seq=seq,
        frame=f"'{before}' || ({seq}) || '{after}'",
        created_at=moment(begun),
    )
    vacuum()


class Logs:
    """Reads another task's log each time; every side reads the same ones."""

    def __init__(self, tasks: int, runner: asyncio.Runner) -> None:
        self.tasks = tasks
        self.runner = runner
        self.reads: Counter[str] = Counter()

    def sides(self) -> dict[str, Side]:
        return {
            "bare SELECT": self.side(self.bare, LOG),
            "ours": self.side(self.ours, LOG),
            "ours, through the hub": self.side(self.through_the_hub, LOG),
            "model rows, json.dumps": self.side(self.stock, LOG),
            "bare SELECT, tail": self.side(self.bare, TAIL),
            "ours, tail": self.side(self.ours, TAIL),
        }

    def side(self, read: Callable[[uuid.UUID, int], int], events: int) -> Side:
        name = f"{read.__name__} {events}"

        def one() -> None:
            self.reads[name] += 1
            count = read(key_of("task", self.reads[name] * 7 % self.tasks), LOG - events)
            assert count == events, f"{name}: {count}"

        return one

    def bare(self, task: uuid.UUID, after: int) -> int:
        with connection.cursor() as cursor:
            cursor.execute(BARE, [TASK.get_db_prep_value(task, connection), after])
            return len(cursor.fetchall())

    def ours(self, task: uuid.UUID, after: int) -> int:
        sent: list[bytes] = []
        more = True
        while more:
            page = selectors.log_after(task_id=str(task), after=after + len(sent))
            sent += [frame.encode() for _seq, frame in page.frames]
            more = page.more
        return len(sent)

    def through_the_hub(self, task: uuid.UUID, after: int) -> int:
        return self.runner.run(read_into_socket(str(task), after))

    def stock(self, task: uuid.UUID, after: int) -> int:
        rows = TaskEvent.objects.filter(task=task, seq__gt=after).order_by("seq")
        return len([json.dumps(fields_of(row)) for row in rows])


def fields_of(row: TaskEvent) -> dict[str, Any]:
    values = model_to_dict(row)
    return {**values, "task": str(row.task_id), "created_at": row.created_at.timestamp()}


async def read_into_socket(task: str, after: int) -> int:
    """A subscription and its outbox, with a socket that accepts everything."""
    sent: list[bytes] = []

    def send_now(*texts: str) -> bool:
        sent.extend(text.encode() for text in texts)
        return True

    async def never(_argument: object) -> None:
        raise AssertionError("the socket must neither wait nor close")

    outbox = SocketOutbox(owner_id=0, send=never, send_now=send_now, close=never)
    subscription = Subscription(outbox, task)
    await subscription.reset(after)
    await subscription.start_replay()
    return len(sent)
