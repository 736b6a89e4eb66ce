"""One attempt at a task: its claim, its progress, its writes, and the request to stop it."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from time import monotonic
from typing import Any, TypeVar

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import Error as DatabaseProblem

from accounts.log_context import logging_with
from accounts.log_format import log_line
from generation.clock import clock
from generation.exceptions import AttemptEnded, LeaseLost, StorageError
from generation.limits import SEED_COUNT
from generation.outages import cause_of, database
from generation.services import Claim
from generation.shutdown import cancel_and_wait, retrieve_error
from generation.worker.progress_meter import ProgressMeter
from generation.xinference import XinferenceClient

logger = logging.getLogger(__name__)

T = TypeVar("T")

DATABASE_PAUSE = 1.0
"""Seconds between attempts to write while the database is away, until the lease is lost."""

DISK_TIMEOUT = 60.0
"""Seconds for reading or writing one file."""


class Attempt:
    """One attempt at a task; the runner calls `stop`, any number of times."""

    def __init__(
        self, claim: Claim, client: XinferenceClient, heartbeat_overdue: Callable[[], bool]
    ) -> None:
        self.claim = claim
        self.client = client
        self.heartbeat_overdue = heartbeat_overdue
        self.task = claim.task
        self.number = claim.task.attempt
        self.stopping = asyncio.Event()
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done once the lease is lost."""
        self.stop_reason: AttemptEnded | None = None
        self.seed = base_seed(self.task.seed, self.task.requested_seed)
        self.meter = ProgressMeter(self.task, stored=self.task.image_count - len(claim.missing))

    def stop(self, why: AttemptEnded) -> None:
        """Stop the call and then the run; LeaseLost replaces any earlier reason."""
        if self.stop_reason is None or isinstance(why, LeaseLost):
            self.stop_reason = why
        if isinstance(why, LeaseLost) and not self.lost.done():
            self.lost.set_result(None)
        self.stopping.set()

    def check_stop(self) -> None:
        """Raise the reason to stop, if there is one.

        Called before every call and every file, because a process that was frozen continues here
        before its loops notice that the lease has expired.
        """
        if self.heartbeat_overdue():
            self.stop(LeaseLost())
        if self.stop_reason is not None:
            raise self.stop_reason

    async def unless_stopped(self, work: Coroutine[Any, Any, T], *, grace: float = 0.0) -> T:
        """The result of `work`; if the run is stopped, cancel `work` and raise the reason.

        A run waits for nothing but its own writes without this or `stopping`. `grace`: seconds
        that `work` may still take after the stop.
        """
        task = asyncio.create_task(work)
        stop = asyncio.create_task(self.stopping.wait())
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            if grace and not task.done():
                await asyncio.wait({task}, timeout=grace)
            if not task.done():
                self.check_stop()
            return task.result()
        finally:
            await cancel_and_wait(task, stop)

    async def write(self, service: Callable[..., T], **values: Any) -> T:
        """Call a fenced service for this attempt."""
        return await self.database(
            service, task_id=self.task.pk, attempt=self.number, now=clock.now(), **values
        )

    async def database(self, service: Callable[..., T], **values: Any) -> T:
        """Call a service, and repeat it while the database is away; raises LeaseLost.

        A call that hangs when the lease is lost is abandoned: its write is fenced. An error is
        raised if it lasts longer than a lease that is still held, because then it concerns this
        call alone.
        """
        began = monotonic()
        while True:
            if self.lost.done():
                raise LeaseLost
            call = asyncio.ensure_future(database_sync_to_async(service)(**values))
            ends: set[asyncio.Future[Any]] = {call, self.lost}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if not call.done():
                call.add_done_callback(retrieve_error)
                raise LeaseLost
            try:
                return call.result()
            except DatabaseProblem as error:
                waited = monotonic() - began
                if (
                    not database.is_outage(error)
                    or waited > settings.GENERATION_LEASE.total_seconds()
                ):
                    raise
                await asyncio.sleep(DATABASE_PAUSE)

    def logging(self) -> AbstractContextManager[None]:
        """Adds what names this attempt to log lines, and the task's id to requests."""
        return logging_with(
            task=str(self.task.pk),
            attempt=self.number,
            worker=str(self.claim.worker_id)[:8],
            request=self.task.correlation_id or None,
        )

    def log(
        self, level: int, event: str, why: Exception, exc_info: Exception | None = None
    ) -> None:
        """Log a line about this attempt; the services log its end."""
        line = log_line(event, task=self.task.pk, attempt=self.number, cause=cause_of(why))
        logger.log(level, "%s", line, exc_info=exc_info)


async def on_disk(function: Callable[..., T], *values: Any) -> T:
    """Call a function on files in a thread; raises StorageError if the disk hangs.

    A thread cannot be stopped: it may leave a file without a row, which the cleanup removes.
    """
    try:
        async with asyncio.timeout(DISK_TIMEOUT):
            return await asyncio.to_thread(function, *values)
    except TimeoutError as error:
        raise StorageError(detail=f"no end in {DISK_TIMEOUT:.0f} s") from error


def base_seed(earlier: int | None, requested: int | None) -> int:
    """The seed of an earlier attempt, else the requested one, else a random one."""
    if earlier is not None:
        return earlier
    return requested if requested is not None else secrets.randbelow(SEED_COUNT)
