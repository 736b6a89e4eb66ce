"""A process that creates people, tasks and events through the product's services.

Reads one JSON object per line and responds with one. Like a worker it writes in the database
thread and broadcasts from its event loop; unlike a worker it needs no model, so that events come
as fast as a figure wants. `details.done` of an event is the microsecond of the monotonic clock
before the write.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liujuan_site.settings")
django.setup()
# accounts of a figure are not security events
logging.getLogger("liujuan.security").setLevel(logging.WARNING)

from channels.db import database_sync_to_async  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import ApiToken  # noqa: E402
from accounts.token_hashing import digest_of  # noqa: E402
from accounts.tokens import create_token  # noqa: E402
from generation import broadcast, services  # noqa: E402
from generation.choices import Route  # noqa: E402
from generation.models import GenerationTask  # noqa: E402
from generation.protocol import Generate  # noqa: E402
from generation.services import Fraction  # noqa: E402
from tests.factories import record_models  # noqa: E402

MODEL = "benchmark"
SLOTS = 100
"""Most tasks."""

HEARTBEAT_EVERY = 5.0
Answer = dict[str, Any]


class Writer:
    """Holds the slots of its tasks; only `flow` continues after its response, until `stop`."""

    def __init__(self) -> None:
        self.worker_id = services.register_worker(
            host="benchmark", pid=os.getpid(), version="", now=timezone.now()
        ).pk
        self.slots: list[int] = []
        self.flowing: asyncio.Task[None] | None = None
        self.written = 0

    def people(self, *, count: int) -> Answer:
        return {"people": [self.person() for _ in range(count)]}

    def person(self) -> dict[str, str]:
        """A new account, with a token and a session cookie."""
        user = User.objects.create_user(uuid.uuid4().hex)
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        token = create_token(owner=user, name="", now=timezone.now())
        cookie = f"{settings.SESSION_COOKIE_NAME}={session.session_key}"
        return {"name": user.username, "token": token, "session": cookie}

    def revoke(self, *, token: str) -> Answer:
        ApiToken.objects.get(digest=digest_of(token)).delete()
        return {}

    def task(self, *, owner: str) -> Answer:
        """A task that runs here: submitted and claimed in one transaction, before any worker."""
        now = timezone.now()
        request = Generate(prompt="LiuJuan", model=MODEL)
        with transaction.atomic():
            self.serve()
            user = User.objects.get(username=owner)
            services.submit(owner=user, request=request, now=now)
            (claimed,) = services.claim(worker_id=self.worker_id, now=now)
        self.slots.append(claimed.slot_id)
        return {"task": str(claimed.task.pk)}

    def serve(self) -> None:
        """Register our own model; a real worker restores its models within seconds."""
        seen = services.ModelObservation(
            name=MODEL,
            route=Route.TXT2IMG,
            ready=True,
            loading=False,
            replicas=SLOTS,
            identity="benchmark",
            slots=SLOTS,
        )
        record_models(seen, now=timezone.now())

    def draw(self, *, owner: str) -> Answer:
        """A task for a real worker."""
        user = User.objects.get(username=owner)
        request = Generate(prompt="LiuJuan", size=(256, 256))
        taken = services.submit(owner=user, request=request, now=timezone.now())
        return {"task": str(taken.task.pk)}

    def events(self, *, task: str, count: int) -> Answer:
        for _ in range(count):
            self.event(task)
        return {"newest": GenerationTask.objects.get(pk=task).newest_seq}

    def event(self, task: str, percent: float = 50.0) -> None:
        fraction = Fraction(
            progress=percent,
            eta_seconds=1.0,
            image=1,
            fraction=0.5,
            done=time.monotonic_ns() // 1_000,
            total=9,
        )
        services.record_progress(
            task_id=uuid.UUID(task), attempt=1, seen=[fraction], now=timezone.now()
        )

    def heartbeat(self) -> None:
        services.heartbeat(
            worker_id=self.worker_id, slot_ids=self.slots, draining=False, now=timezone.now()
        )

    async def flow(self, *, tasks: list[str], per_second: float) -> Answer:
        self.written = 0
        self.flowing = asyncio.create_task(self.run(tasks, 1 / per_second))
        return {}

    async def run(self, tasks: list[str], pause: float) -> None:
        """Write events to the tasks in turn; missed time is not caught up."""
        write, due = database_sync_to_async(self.event), time.monotonic()
        while True:
            await write(tasks[self.written % len(tasks)])
            self.written += 1
            due = max(due + pause, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    async def stop(self) -> Answer:
        if self.flowing is not None:
            self.flowing.cancel()
            await asyncio.gather(self.flowing, return_exceptions=True)
            self.flowing = None
        return {"written": self.written}

    async def publish(self, *, task: str, count: int, per_second: float) -> Answer:
        """`count` events; `published` is [seq, nanosecond of its commit] of each.

        With 0 events a second all are one transaction, so that they are broadcast without pauses.
        """
        write = database_sync_to_async(self.write_together)
        if not per_second:
            return {"published": await write(task, count)}
        published: list[tuple[int, int]] = []
        due = time.monotonic()
        for _number in range(count):
            published += await write(task, 1)
            due += 1 / per_second
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        return {"published": published}

    async def publish_percents(self, *, task: str, count: int, per_second: float) -> Answer:
        """The percents 1 to `count`; `published` is [percent, nanosecond of its commit] of each."""
        write = database_sync_to_async(self.event)
        published: list[tuple[int, int]] = []
        due = time.monotonic()
        for percent in range(1, count + 1):
            await write(task, percent)
            published.append((percent, time.monotonic_ns()))
            due += 1 / per_second
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        return {"published": published}

    def write_together(self, task: str, count: int) -> list[tuple[int, int]]:
        stamps: list[int] = []
        with transaction.atomic():
            # before the broadcasts, which also run on commit
            transaction.on_commit(lambda: stamps.append(time.monotonic_ns()))
            for _number in range(count):
                self.event(task)
            newest = GenerationTask.objects.get(pk=task).newest_seq
        return [(seq, stamps[0]) for seq in range(newest - count + 1, newest + 1)]

    async def keep_leases(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_EVERY)
            await database_sync_to_async(self.heartbeat)()


async def main() -> None:
    broadcast.publisher.start()
    writer = await database_sync_to_async(Writer)()
    leases = asyncio.create_task(writer.keep_leases())
    waits: dict[str, Callable[..., Awaitable[Answer]]] = {
        each.__name__: each
        for each in (writer.flow, writer.stop, writer.publish, writer.publish_percents)
    }
    while line := await asyncio.to_thread(sys.stdin.readline):
        command = json.loads(line)
        action = command.pop("action")
        handle = waits.get(action) or database_sync_to_async(getattr(writer, action))
        print(json.dumps(await handle(**command)), flush=True)
    await writer.stop()
    leases.cancel()
    await broadcast.publisher.stop()


if __name__ == "__main__":
    asyncio.run(main())
