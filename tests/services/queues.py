"""Queues of several owners, and the order in which their tasks are claimed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings

from generation import selectors
from generation.models import GenerationTask
from generation.services import Claim
from tests.factories import finish, settle, store, submit

SECOND = timedelta(seconds=1)
every_queue = settings(
    max_examples=20,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


def end(claim: Claim, now: datetime) -> None:
    store(claim, now)
    finish(claim, now)
    settle(claim, now)


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


def in_a_world_of_its_own(act: Callable[[], None]) -> None:
    with transaction.atomic():
        act()
        transaction.set_rollback(True)
