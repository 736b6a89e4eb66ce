"""Tasks that ended long ago, with real files and whole logs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from generation import images, selectors, services
from generation.choices import InterruptReason, Step
from generation.images import Picture
from generation.models import GeneratedImage, GenerationTask, Worker
from generation.services import Pruned
from tests.factories import boundary, claim_one, finish, interrupt, settle, store, submit
from tests.pictures import picture

SECRET = "a lighthouse at dusk"
AGE = timedelta(days=40)


def drawn_task(owner: User, worker: Worker, at: datetime, **fields: Any) -> GenerationTask:
    """A completed task of one picture, drawn in the second attempt."""
    task = submit(owner, at, **{"prompt": SECRET, **fields})
    first = claim_one(worker, at)
    interrupt(first, InterruptReason.LEASE_EXPIRED, at)
    settle(first, at)
    claim = claim_one(worker, at)
    for step in (Step.LOADING, Step.PREPARING, Step.GENERATING, Step.DECODING, Step.FINISHING):
        services.record_progress(
            task_id=task.pk, attempt=claim.task.attempt, seen=[boundary(step)], now=at
        )
    store_file(store(claim, at), task)
    finish(claim, at)
    settle(claim, at)
    task.refresh_from_db()
    return task


def store_file(
    image: GeneratedImage, task: GenerationTask, drawn: Picture | None = None
) -> GeneratedImage:
    """Write the file of a stored picture as the worker does, with its settings."""
    text = selectors.parameters_text(task, seed=image.seed)
    data = images.with_parameters(drawn or picture(), text).data
    images.write(image.file, data)
    GeneratedImage.objects.filter(pk=image.pk).update(bytes=len(data))
    image.refresh_from_db()
    return image


def prune_all(now: datetime) -> Pruned:
    """What a whole run deletes."""
    total = Pruned()
    for owners in selectors.pages_of_users():
        kept = selectors.days_kept(owners)
        while pruned := services.prune_owners(kept, at=now, now=now, failed=total.failed):
            total += pruned
    return total
