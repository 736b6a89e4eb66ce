"""A program that is killed while it handles files: `python -m tests.services.crash_points ACT`.

Forks one child after another. Child n kills itself with SIGKILL at the n-th crash point of the
act: before a call that changes disk or database, or after a commit. Ends with the first child that
survives, and prints how many died. Files and the SQLite database are in DATA_DIR.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from types import FrameType
from typing import Any

import django

CALLS = {
    *("mkdir", "open", "write", "flush", "fsync", "close", "replace", "unlink", "rmdir", "utime"),
    *("execute", "commit"),
}
"""Calls that change the disk or the database."""

MAX_POINTS = 1_000


class CrashPoint:
    """Kills this process before its n-th call in CALLS, or after a commit."""

    def __init__(self, n: int) -> None:
        self.left = n

    def run(self, act: Callable[[], object]) -> None:
        sys.setprofile(self.called)
        act()
        sys.setprofile(None)

    def called(self, frame: FrameType, event: str, argument: object) -> None:
        name = getattr(argument, "__name__", "")
        before = event == "c_call" and name in CALLS
        if before or (event == "c_return" and name == "commit"):
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def prepare(n: int, at: datetime) -> Any:
    """A claimed task."""
    from django.contrib.auth.models import User

    from generation import services
    from tests import factories

    owner, _created = User.objects.get_or_create(username="alice")
    factories.submit(owner, at, size=(256, 256))
    worker = services.register_worker(host="here", pid=n, version="test", now=at)
    return next(iter(services.claim(worker_id=worker.pk, now=at)), None)


def store(claim: Any, at: datetime) -> Any:
    """Store as a worker does: the file, then its row; the file is removed if the row is refused."""
    from generation import images
    from generation.exceptions import TransitionRefused
    from tests import factories
    from tests.pictures import picture

    drawn = picture(256, 256)
    attempt: int = claim.task.attempt
    name = images.file_name(task_id=str(claim.task.pk), index=1, attempt=attempt, picture=drawn)
    images.write(name, drawn.data)
    try:
        return factories.store(claim, at, name=name, picture=drawn)
    except TransitionRefused:
        images.remove(name)


def thumbnail(image: Any) -> None:
    from generation import images, services

    services.record_thumbnail(image_id=image.pk, name=images.make_thumbnail(image.file))


def storing(n: int, at: datetime) -> Callable[[], object]:
    return partial(store, prepare(n, at), at)


def refused(n: int, at: datetime) -> Callable[[], object]:
    from generation import services

    claim = prepare(n, at)
    services.request_cancel(task_id=claim.task.pk, now=at)
    return partial(store, claim, at)


def shrinking(n: int, at: datetime) -> Callable[[], object]:
    return partial(thumbnail, store(prepare(n, at), at))


def pruning(n: int, at: datetime) -> Callable[[], object]:
    from generation import services

    # each child's task ended before those of earlier children, so that it prunes only its own
    at -= timedelta(days=n)
    claim = prepare(n, at)
    thumbnail(store(claim, at))
    task = {"task_id": claim.task.pk, "attempt": claim.task.attempt, "now": at}
    services.complete(**task, measured={})
    services.settle_slot(**task, slot_id=claim.slot_id)
    return partial(services.prune_batch, before=at + timedelta(hours=1))


ACTS = {"store": storing, "refuse": refused, "thumbnail": shrinking, "prune": pruning}


def crashes(act: str) -> Iterator[bool]:
    """Whether each child survived."""
    from django.db import connections
    from django.utils import timezone

    # import and compile once, not in every child
    ACTS[act](0, timezone.now())()
    for n in range(1, MAX_POINTS):
        # a connection must not be shared with a child
        connections.close_all()
        child = os.fork()
        if not child:
            crash = CrashPoint(n)
            crash.run(ACTS[act](n, timezone.now()))
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status not in (0, -signal.SIGKILL):
            raise SystemExit(f"victim {n} ended with {status}")
        yield status == 0
        if status == 0:
            return


def serve() -> None:
    from django.conf import settings
    from django.utils import timezone

    from tests.factories import observed, record_models

    seen = observed(settings.XINFERENCE_MODEL, MAX_POINTS)
    record_models(seen, now=timezone.now())


def main(act: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "liujuan_site.settings"
    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    from generation import services

    if act == "migrate":
        call_command("migrate", verbosity=0)
        serve()
    elif act == "sweep":
        print(services.remove_orphaned_files(now=timezone.now()))  # noqa: T201
    else:
        print(len(list(crashes(act))) - 1)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
