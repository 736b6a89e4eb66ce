"""How many inputs a run takes, and the accounts that it uses."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db import connections
from django.utils import timezone

from accounts.tokens import create_token
from generation import images, services
from generation.clock import clock
from generation.exceptions import TransitionRefused
from generation.sessions import TokenBucket, owner_buckets, request_buckets
from tests.factories import finish, finished_task, settle, store, submit

INPUTS = int(os.environ.get("FUZZ_INPUTS", "300"))
"""In all; a tenth goes to the API, the rest to the socket, which takes more in the same time."""

CANARY = "canary-of-another-user"
"""In everything that the other user has; it must never be seen."""


@dataclass(slots=True)
class Fuzzed:
    """A user whose requests are made up, and another one that has secrets."""

    user: User
    token: str
    own: list[str]
    foreign: list[str]
    counts: Counter[str] = field(default_factory=Counter)
    """Inputs by how they were answered."""
    kinds: set[str] = field(default_factory=set)
    """Operations, or actions of the socket."""
    bodies: set[str] = field(default_factory=set)
    """Distinct ones, of messages their text."""

    def report(self, what: str, *, kinds: int, bodies: int) -> str:
        """What was sent; fails if it was fewer than `kinds` kinds or `bodies` different bodies."""
        parts = ", ".join(f"{name} {count}" for name, count in sorted(self.counts.items()))
        sent = f"{len(self.kinds)} kinds, {len(self.bodies)} different bodies"
        text = f"{what}: {self.counts.total()} inputs ({parts}), {sent}"
        assert len(self.kinds) >= kinds, f"{text}, and not {kinds} kinds"
        assert len(self.bodies) >= bodies, f"{text}, and not {bodies} bodies"
        return text


def create_fuzzed() -> Fuzzed:
    now = timezone.now()
    user, other = User.objects.create_user("fuzzed"), User.objects.create_user(CANARY)
    for bucket in (request_buckets, owner_buckets):
        bucket.by_owner[user.pk] = TokenBucket(rate=1e9, burst=1e9)
    own = [finished_task(user, now) for _each in range(3)] + [submit(user, now)]
    foreign = [finished_task(other, now, prompt=CANARY), submit(other, now, prompt=CANARY)]
    return Fuzzed(
        user=user,
        token=create_token(owner=user, name="fuzz", now=now),
        own=[str(task.pk) for task in own],
        foreign=[str(task.pk) for task in foreign],
    )


@contextmanager
def tasks_ending() -> Iterator[None]:
    """A thread that completes what is submitted, so that no request waits for a model."""
    over = threading.Event()
    worker = services.register_worker(host="here", pid=1, version="test", now=timezone.now())

    def run() -> None:
        while not over.wait(0.02):
            # a task may be cancelled meanwhile
            with suppress(TransitionRefused):
                complete_queued(worker)
        connections.close_all()

    thread = threading.Thread(target=run, name="tasks ending")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def complete_queued(worker: Any) -> None:
    for claim in services.claim(worker_id=worker.pk, now=clock.now()):
        for index in range(1, claim.task.image_count + 1):
            name = f"{claim.task.pk}/{index}-{claim.task.attempt}.jpg"
            images.write(name, b"picture")
            store(claim, clock.now(), index, name=name)
        finish(claim, clock.now())
        settle(claim, clock.now())
