"""One replica of the model: a queue of jobs and one painting process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from demo_xinference.errors import ConnectionDropped, Refusal
from demo_xinference.faults import Fault
from demo_xinference.process import (
    END_TIMEOUT,
    PainterDied,
    PainterProcess,
    PaintingFailed,
    PaintingStopped,
)
from demo_xinference.progress import Record
from demo_xinference.requests import TXT2IMG, ImageRequest

PAUSING_FAULTS = frozenset({"die", "stall", "hold", "slow"})
"""Faults of the painting process itself."""

STOPPABLE = frozenset({"hold", "slow"})
"""Those of them that an abort ends."""


@dataclass(slots=True, eq=False)
class Job:
    """A request from its arrival to its end, even if the client has disconnected."""

    request: ImageRequest
    record: Record
    faults: list[Fault]
    steps_reported: bool
    painting: int | None = None
    begun: bool = False
    aborted: bool = False
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a running call was aborted."""
    dropped: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[bytes] | None = None
    paint: asyncio.Task[bytes] | None = None
    """The work, which may continue after the call."""

    @property
    def cancelled(self) -> Refusal:
        return Refusal(409, f"The request has been cancelled: {self.request.request_id}")

    def fault(self, *kinds: str) -> Fault | None:
        return next((each for each in self.faults if each.do in kinds), None)


class Replica:
    def __init__(self, uid: str, *, speed: float, limit: int | None) -> None:
        self.uid = uid
        self.limit = limit
        self.painter = PainterProcess(speed)
        self.jobs: set[Job] = set()
        self._lock = asyncio.Lock()
        self._detached: set[asyncio.Task[bytes]] = set()

    @property
    def ready(self) -> bool:
        return not self.painter.restarting

    def refusal(self, status: int, detail: str) -> Refusal:
        """A refusal with the message of a model process, including its address."""
        where = f"[address={self.painter.address}, pid={self.painter.pid or 0}]"
        return Refusal(status, f"{where} {detail}")

    def enqueue(self, job: Job) -> None:
        """Queue the job; raises Refusal 429 if the queue is full."""
        if self.limit is not None and len(self.jobs) >= self.limit:
            raise self.refusal(
                429,
                "Rate limit reached for the model. "
                f"Request limit {self.limit} for the model: {self.uid}",
            )
        if not self.ready:
            raise self.refusal(500, "Model is in stopping state")
        self.jobs.add(job)
        job.task = asyncio.create_task(self._serve(job))
        job.task.add_done_callback(lambda task: self._end(job, task))

    def _end(self, job: Job, task: asyncio.Task[bytes]) -> None:
        self.jobs.discard(job)
        if not task.cancelled():
            # the client may have disconnected
            task.exception()

    def abort(self, job: Job) -> None:
        """Queued: ends at once. Running: stops if its route can be stopped."""
        job.aborted = True
        if not job.begun:
            assert job.task is not None
            job.task.cancel()
        else:
            job.left.set()
            if job.request.route == TXT2IMG and job.painting is not None:
                self.painter.stop(job.painting)

    async def _serve(self, job: Job) -> bytes:
        """The picture's bytes; raises Refusal."""
        try:
            async with self._lock:
                job.begun = True
                return await self._draw(job)
        except PaintingStopped:
            raise job.cancelled from None
        except PaintingFailed as error:
            raise self.refusal(500, str(error)) from None
        except PainterDied:
            job.record.frozen_at = job.record.progress
            raise Refusal(
                500,
                f"Remote server {self.painter.address} closed: "
                "0 bytes read on a total of 11 expected bytes",
            ) from None
        except asyncio.CancelledError:
            if job.aborted:
                raise job.cancelled from None
            raise
        finally:
            job.record.set(1.0, asyncio.get_running_loop().time())

    async def _draw(self, job: Job) -> bytes:
        try:
            job.request.check()
        except Refusal as error:
            raise self.refusal(error.status, error.detail) from error
        if self._detached:
            # two runs share one scheduler object, and the older one has moved its index on
            size = job.request.steps + 1
            raise self.refusal(
                500, f"index {size} is out of bounds for dimension 0 with size {size}"
            )
        paint = job.paint = asyncio.create_task(self._paint(job))
        # the call may end first: then its result is not received
        paint.add_done_callback(self._end_paint)
        if job.request.route == TXT2IMG:
            return await paint
        left = asyncio.create_task(job.left.wait())
        try:
            await asyncio.wait({paint, left}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            left.cancel()
        if paint.done():
            return paint.result()
        self._detached.add(paint)
        raise job.cancelled

    def _end_paint(self, paint: asyncio.Task[bytes]) -> None:
        self._detached.discard(paint)
        if not paint.cancelled():
            paint.exception()

    async def _paint(self, job: Job) -> bytes:
        if creep := job.fault("creep"):
            await self._creep(job, creep.seconds)
        painting = job.request.to_painting()
        if job.fault("wrong_size"):
            painting["width"] = painting["width"] // 2 // 16 * 16 or 16
        # it paints no further step before the fault has taken effect
        pauses = [
            (step, each.do in STOPPABLE)
            for step in range(1, job.request.steps + 1)
            for each in job.faults
            if each.do in PAUSING_FAULTS and each.comes_after(step)
        ]
        picture = await self.painter.paint(painting, self._begin(job), self._step(job), pauses)
        if late := job.fault("delay_decode"):
            await asyncio.sleep(late.seconds)
        if job.aborted and job.request.route == TXT2IMG:
            raise PaintingStopped
        return picture

    async def _creep(self, job: Job, seconds: float) -> None:
        """Only raise the progress; an abort ends it on txt2img alone."""
        stop = job.left if job.request.route == TXT2IMG else asyncio.Event()
        job.record.creeping = True
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stop.wait()
        job.record.creeping = False
        if stop.is_set():
            raise PaintingStopped

    def _begin(self, job: Job) -> Callable[[int], None]:
        def begin(number: int) -> None:
            job.painting = number
            if job.aborted and job.request.route == TXT2IMG:
                self.painter.stop(number)

        return begin

    def _step(self, job: Job) -> Callable[[int], None]:
        def step(done: int) -> None:
            fraction = done / job.request.steps
            if job.steps_reported:
                job.record.set(fraction, asyncio.get_running_loop().time())
            for fault in job.faults:
                if fault.comes_after(done):
                    self._apply_fault(job, fault, fraction)

        return step

    def _apply_fault(self, job: Job, fault: Fault, fraction: float) -> None:
        if fault.do == "die":
            self.painter.kill()
        elif fault.do == "drop":
            job.dropped.set()
        elif fault.do == "freeze_progress":
            job.record.frozen_at = fraction
        elif fault.do in PAUSING_FAULTS and job.painting is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(fault.seconds, self.painter.resume, job.painting)

    async def aclose(self) -> None:
        tasks = [job.task for job in self.jobs if job.task is not None]
        tasks += self._detached
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=END_TIMEOUT)
        await self.painter.aclose()


async def outcome(job: Job) -> bytes:
    """Wait for a job's end without ending it; raises Refusal, ConnectionDropped."""
    assert job.task is not None
    dropped = asyncio.create_task(job.dropped.wait())
    try:
        await asyncio.wait({job.task, dropped}, return_when=asyncio.FIRST_COMPLETED)
        if dropped.done():
            raise ConnectionDropped
        with suppress(asyncio.CancelledError):
            return job.task.result()
        raise Refusal(500, "the server is shutting down")
    finally:
        dropped.cancel()
