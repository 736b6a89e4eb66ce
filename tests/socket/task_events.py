"""Events of a worker, written from async tests."""

from __future__ import annotations

import json

from channels.db import database_sync_to_async
from django.utils import timezone

from generation import services
from generation.models import GenerationTask, TaskEvent, Worker
from generation.services import Claim, Fraction
from tests import factories
from tests.socket.sockets import Page


@database_sync_to_async
def claim(worker: Worker) -> Claim:
    (found,) = services.claim(worker_id=worker.pk, now=timezone.now())
    return found


@database_sync_to_async
def progress(claim: Claim, times: int) -> None:
    for count in range(times):
        fraction = Fraction(
            progress=count * 90 / times,
            eta_seconds=1,
            image=1,
            fraction=count / times,
            done=count,
            total=times,
        )
        services.record_progress(
            task_id=claim.task.pk, attempt=claim.task.attempt, seen=[fraction], now=timezone.now()
        )


@database_sync_to_async
def complete(claim: Claim) -> None:
    factories.complete(claim, timezone.now())


@database_sync_to_async
def lengthen(task_id: str, newest: int) -> None:
    """Add copies of the task's first event up to that seq."""
    task = GenerationTask.objects.get(pk=task_id)
    first = task.events.get(seq=1)
    frame = json.loads(first.frame)
    values = {field.attname: getattr(first, field.attname) for field in first._meta.fields}
    TaskEvent.objects.bulk_create(
        TaskEvent(**values | {"id": None, "seq": seq, "frame": json.dumps(frame | {"seq": seq})})
        for seq in range(task.newest_seq + 1, newest + 1)
    )
    GenerationTask.objects.filter(pk=task_id).update(newest_seq=newest)


async def seqs_until(page: Page, task_id: str, last: int) -> list[int]:
    while last not in page.seqs(task_id):
        await page.receive()
    return page.seqs(task_id)
