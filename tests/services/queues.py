"""Queues of several owners, and the order in which their tasks are claimed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings

from generation import selectors
from generation.models import GenerationTask, Worker
from tests.conftest import serve_model
from tests.factories import claim_one, complete, submit

SECOND = timedelta(seconds=1)
every_queue = settings(
    max_examples=20,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


def shown(now: datetime) -> list[str]:
    """Ids of all waiting tasks by the position that pages show."""
    keys = [str(key) for key in GenerationTask.objects.waiting().values_list("pk", flat=True)]
    positions = {
        key: each["position"] for key, each in selectors.queue_positions(keys, now=now).items()
    }
    assert sorted(positions.values()) == list(range(1, len(positions) + 1))
    return sorted(positions, key=positions.__getitem__)


def fill(owners: list[User], arrivals: list[int], now: datetime) -> None:
    for second, owner in enumerate(arrivals):
        submit(owners[owner], now + second * SECOND)


def fill_after(
    owners: list[User],
    worker: Worker,
    now: datetime,
    arrivals: list[int],
    before: list[int],
    busy: int,
) -> datetime:
    """Fill the queue of 30 slots, and return the time afterwards.

    `before`: owners in the order of earlier claims; the last `busy` of them still run.
    """
    serve_model(now=now, slots=30)
    fill(owners, before, now)
    claims = [claim_one(worker, now + (20 + k) * SECOND) for k in range(len(before))]
    for claim in claims[: len(claims) - busy]:
        complete(claim, now + 40 * SECOND)
    fill(owners, arrivals, now + 50 * SECOND)
    return now + 80 * SECOND


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
