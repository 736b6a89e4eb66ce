"""Runs one attempt at a task, from the claim to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from time import monotonic

from generation import selectors, services
from generation.choices import DelayReason, InterruptReason
from generation.clock import clock
from generation.error_codes import ErrorCode
from generation.exceptions import (
    AttemptInterrupted,
    CancelObserved,
    LeaseLost,
    PictureError,
    StorageError,
    TransitionRefused,
    XinferenceBusy,
    XinferenceError,
    XinferenceFailed,
    XinferenceNotBegun,
    XinferenceRefused,
    XinferenceUnreachable,
    without_frames,
)
from generation.services import AbandonedCall, Claim
from generation.shutdown import cancel_and_wait
from generation.worker.abandoned_calls import end_abandoned_call
from generation.worker.attempt import Attempt
from generation.worker.failed_calls import interrupt_reason
from generation.worker.idle_lock import IdleLock
from generation.worker.picture_call import Ended, PictureCall, Stored
from generation.worker.thumbnails import make_thumbnail
from generation.xinference import XinferenceClient

logger = logging.getLogger(__name__)

FRESHLY_LAUNCHED = timedelta(seconds=15)
"""Time after a launch in which the server may still answer that it does not know the model."""

MAX_REPEATS = 2
"""Calls at once after one that did not begin."""

FIRST_WAIT, MAX_WAIT, WAIT_SPREAD = 1.0, 30.0, 0.3


class TaskRun:
    """Runs a claim to its end."""

    def __init__(
        self,
        claim: Claim,
        client: XinferenceClient,
        heartbeat_overdue: Callable[[], bool],
        idle_lock: IdleLock,
    ) -> None:
        self.attempt = Attempt(claim, client, heartbeat_overdue)
        self.idle_lock = idle_lock
        self.slot_freed = False
        """Whether the slot may hold another task already, so that its lease is not renewed."""

    async def run(self) -> None:
        """Draw what is missing and end the attempt; nothing is raised but cancellation.

        1. draw and store each missing image; the last one completes the task and frees the slot
        2. if an image was not stored, write how the attempt ended, and free the slot if the call
           is known to be over
        3. make the thumbnails, when the worker is idle
        """
        with self.attempt.logging():
            await self.draw_and_end()

    async def draw_and_end(self) -> None:
        stored: list[Stored] = []
        try:
            ended = await self.draw_missing(stored)
        except Exception as error:  # noqa: BLE001  raised between two calls: none is under way
            ended = Ended(error)
        if ended is not None:
            await self.finish_safely(ended.reason)
            without_frames(ended.reason)
        with contextlib.suppress(LeaseLost):
            await self.settle(ended)
            for image in stored:
                await make_thumbnail(image, self.attempt, self.idle_lock)

    async def draw_missing(self, stored: list[Stored]) -> Ended | None:
        """Add each image to `stored`; how the attempt ended before the last one, or None."""
        for index in self.attempt.claim.missing:
            outcome = await self.draw(index)
            if isinstance(outcome, Ended):
                return outcome
            stored.append(outcome)
            self.slot_freed = outcome.slot_freed
        if not self.slot_freed:
            # an earlier attempt stored the last image and ended before it wrote `completed`
            measured = self.attempt.meter.measured()
            await self.attempt.write(services.complete, measured=measured)
        return None

    async def draw(self, index: int) -> Stored | Ended:
        """Draw image `index`; while the model is busy or being launched, wait and call again."""
        wait, repeats = FIRST_WAIT, 0
        limit = selectors.deadline_limit(self.attempt.task.expected_durations)
        deadline = monotonic() + limit.total_seconds()
        while True:
            self.attempt.check_stop()
            call = PictureCall(
                self.attempt, index, deadline=deadline, mark_busy=self.idle_lock.mark_busy
            )
            outcome = await call.run()
            if isinstance(outcome, Stored):
                await self.record_call(None)
                return outcome
            reason = outcome.reason
            if isinstance(reason, XinferenceNotBegun) and repeats < MAX_REPEATS:
                # one of several replicas is gone; the server calls the next one each time
                repeats += 1
            elif isinstance(reason, XinferenceBusy):
                if monotonic() >= deadline:
                    return Ended(AttemptInterrupted(InterruptReason.STALLED, str(reason)))
                seconds = max(wait, min(reason.retry_after or 0.0, MAX_WAIT))
                await self.delay(DelayReason(reason.code.value), seconds)
            elif self.is_launching(reason):
                await self.delay(DelayReason.MODEL_LOADING, wait)
            else:
                rests = await self.record_call(reason)
                if rests and is_refusal_of_model(reason):
                    # another server has the model
                    handed_back = InterruptReason.HANDED_BACK
                    return replace(outcome, reason=AttemptInterrupted(handed_back, str(reason)))
                return outcome
            wait = min(2 * wait, MAX_WAIT)

    async def record_call(self, failure: Exception | None) -> bool:
        """Record whether the server did its part; whether it rests now.

        What concerns the task alone says nothing.
        """
        claim = self.attempt.claim
        counts = claim.is_watched or claim.is_trial if failure is None else is_of_server(failure)
        if counts:
            with contextlib.suppress(LeaseLost):
                return await self.attempt.database(
                    services.record_call,
                    refused=failure is not None and is_refusal_of_model(failure),
                    server_id=claim.server_id,
                    model=self.attempt.task.model,
                    succeeded=failure is None,
                    was_trial=claim.is_trial,
                    now=clock.now(),
                )
        return False

    def is_launching(self, reason: Exception) -> bool:
        """Whether the server does not know the model because it was launched just now."""
        launched = self.attempt.claim.launched_at
        return (
            isinstance(reason, XinferenceRefused)
            and reason.code == ErrorCode.MODEL_NOT_FOUND
            and launched is not None
            and clock.now() - launched < FRESHLY_LAUNCHED
        )

    async def delay(self, reason: DelayReason, seconds: float) -> None:
        seconds *= 1 + random.uniform(-WAIT_SPREAD, WAIT_SPREAD)  # noqa: S311  spreads load
        await self.attempt.write(
            services.record_delay, reason=reason, wait=timedelta(seconds=seconds)
        )
        try:
            async with asyncio.timeout(seconds):
                await self.attempt.stopping.wait()
        except TimeoutError:
            return

    async def finish_safely(self, error: Exception) -> None:
        """Write the end that `error` means; if that fails, end the task as an internal error."""
        try:
            await self.finish(error)
        except Exception as unexpected:  # noqa: BLE001  it is in the log
            self.attempt.log(logging.ERROR, "end_not_written", unexpected, exc_info=unexpected)
            await self.finish(RuntimeError(type(unexpected).__name__))

    async def finish(self, error: Exception) -> None:
        """Write the end that `error` means."""
        try:
            if isinstance(error, CancelObserved):
                return
            if isinstance(error, LeaseLost | TransitionRefused):
                raise error
            if isinstance(error, AttemptInterrupted):
                await self.interrupt(error.reason, error.detail)
            elif isinstance(error, XinferenceRefused | PictureError | StorageError):
                await self.attempt.write(services.fail, code=error.code, detail=str(error))
            elif isinstance(error, XinferenceError):
                await self.finish_failed_call(error)
            else:
                self.attempt.log(logging.ERROR, "attempt_unexpected", error, exc_info=error)
                code = ErrorCode.INTERNAL_ERROR
                await self.attempt.write(services.fail, code=code, detail=repr(error))
        except (LeaseLost, TransitionRefused) as refused:
            self.attempt.log(logging.INFO, "attempt_left", refused)

    async def finish_failed_call(self, error: XinferenceError) -> None:
        """Write why a call failed; if the run is stopped meanwhile, write that reason instead."""
        try:
            reason = await interrupt_reason(self.attempt, error)
        except (CancelObserved, AttemptInterrupted) as stopped:
            await self.finish(stopped)
        else:
            await self.interrupt(reason, str(error))

    async def interrupt(self, reason: InterruptReason, detail: str) -> None:
        await self.attempt.write(services.interrupt, reason=reason, detail=detail)

    async def settle(self, ended: Ended | None) -> None:
        """Free the slot if the call is known to be over; otherwise its lease runs out."""
        if self.slot_freed:
            return
        call_over = ended is None or ended.call_over
        if ended is not None and ended.dropped is not None:
            call_over = await self.end_dropped_call(ended.dropped)
        if call_over and not self.attempt.lost.done():
            slot_id = self.attempt.claim.slot_id
            await self.attempt.write(services.settle_slot, slot_id=slot_id)
            self.slot_freed = True

    async def end_dropped_call(self, request_id: uuid.UUID) -> bool:
        """Abort or await a call whose connection broke; whether it is known to be over.

        Ends early when the lease is lost: the worker that takes the slot over does the same.
        """
        attempt, claim = self.attempt, self.attempt.claim
        call = AbandonedCall(
            slot_id=claim.slot_id,
            server_id=claim.server_id,
            task_id=attempt.task.pk,
            correlation_id=attempt.task.correlation_id,
            attempt=attempt.number,
            model=attempt.task.model,
            route=claim.route,
            request_id=request_id,
            identity=claim.identity,
            stall=selectors.stall_limit(attempt.task.expected_durations),
        )
        ending = asyncio.create_task(end_abandoned_call(attempt.client, call))
        try:
            ends: set[asyncio.Future[None]] = {ending, attempt.lost}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            # an error of the database says nothing about the call: then the lease runs out
            return ending.done() and ending.exception() is None
        finally:
            await cancel_and_wait(ending)


def is_of_server(failure: Exception) -> bool:
    """Whether a failed call says something about its server rather than about its task."""
    if isinstance(failure, AttemptInterrupted):
        return failure.reason == InterruptReason.STALLED
    if is_refusal_of_model(failure):
        return True
    return isinstance(failure, XinferenceUnreachable | XinferenceFailed | PictureError)


def is_refusal_of_model(failure: Exception) -> bool:
    """Whether the server would refuse every call of this model, or of this key."""
    refusals = (ErrorCode.MODEL_FORBIDDEN, ErrorCode.MODEL_NOT_FOUND)
    return isinstance(failure, XinferenceRefused) and failure.code in refusals
