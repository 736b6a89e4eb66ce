"""One attempt at one task, from the claim to its end."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from channels.db import database_sync_to_async
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from generation import images, services
from generation.choices import (
    DelayReason,
    ErrorCode,
    InterruptReason,
)
from generation.exceptions import (
    AttemptInterrupted,
    CancelObserved,
    LeaseLost,
    PictureError,
    StorageError,
    StudioError,
    TransitionRefused,
    XinferenceAborted,
    XinferenceBusy,
    XinferenceError,
    XinferenceFailed,
    XinferenceKeyRefused,
    XinferenceRefused,
    XinferenceUnreachable,
)
from generation.services import Claim
from generation.worker.meter import Meter
from generation.worker.picture import PictureCall
from generation.xinference import XinferenceClient

logger = logging.getLogger(__name__)
T = TypeVar("T")

DATABASE_PAUSE = 1.0
"""Seconds between tries while the database is away; the lease ends them."""

FRESHLY_LAUNCHED = timedelta(seconds=15)
"""So long after a launch the server may still say that it does not know the model."""

MODEL_LOOKS, MODEL_LOOK_PAUSE = 4, 1.2
"""Longer than the 3 s for which Xinference caches its list of models."""

FIRST_WAIT, LONGEST_WAIT, WAIT_SPREAD = 1.0, 30.0, 0.3


class TaskRun:
    """Runs a claim; `stop` may be called from outside, any number of times."""

    def __init__(self, claim: Claim, client: XinferenceClient) -> None:
        self.claim = claim
        self.client = client
        self.task = claim.task
        self.attempt = claim.task.attempt
        self.stopping = asyncio.Event()
        self.why: StudioError | None = None
        self.call_is_over = True
        task = claim.task
        self.seed = task.drawn_seed if task.drawn_seed is not None else task.seed
        if self.seed is None:
            self.seed = secrets.randbelow(2**32)
        self.meter = Meter(
            expected=task.expected,
            n=task.n,
            stored=task.n - len(claim.missing),
            start=task.progress,
        )

    def stop(self, why: StudioError) -> None:
        """End the call and then the run; losing the lease outranks every other reason."""
        if self.why is None or isinstance(why, LeaseLost):
            self.why = why
        self.stopping.set()

    def check_stop(self) -> None:
        if self.why is not None:
            raise self.why

    async def run(self) -> None:
        """Draw what is missing and end the attempt; nothing escapes but cancellation.

        1. draw and store each missing picture
        2. complete, or write how it ended instead
        3. free the slot, if the call is known to be over
        4. make the thumbnails
        """
        try:
            drawn = [await self.draw(index) for index in self.claim.missing]
            await self.complete()
        except (LeaseLost, TransitionRefused) as error:
            logger.info("task %s attempt %s ends: %s", self.task.pk, self.attempt, error)
            drawn = []
        except Exception as error:  # noqa: BLE001  every job ends by itself, whatever it met
            drawn = []
            await self.end(error)
        await self.settle()
        for image_id, name in drawn:
            await self.make_thumbnail(image_id, name)

    async def draw(self, index: int) -> tuple[int, str]:
        """Picture `index`, however often the model asks us to wait; (row id, file name)."""
        wait = FIRST_WAIT
        while True:
            self.check_stop()
            try:
                return await PictureCall(self, index).run()
            except XinferenceBusy as busy:
                seconds = max(wait, min(busy.retry_after or 0.0, LONGEST_WAIT))
                await self.wait_and_tell(DelayReason(busy.code.value), seconds)
            except XinferenceRefused as refused:
                if refused.code != ErrorCode.MODEL_NOT_FOUND or not self.freshly_launched():
                    raise
                await self.wait_and_tell(DelayReason.MODEL_LOADING, wait)
            wait = min(2 * wait, LONGEST_WAIT)

    def freshly_launched(self) -> bool:
        launched = self.claim.launched_at
        return launched is not None and timezone.now() - launched < FRESHLY_LAUNCHED

    async def wait_and_tell(self, reason: DelayReason, seconds: float) -> None:
        seconds *= 1 + random.uniform(-WAIT_SPREAD, WAIT_SPREAD)  # noqa: S311  spreads load
        await self.write(services.delay, reason=reason, wait=timedelta(seconds=seconds))
        try:
            async with asyncio.timeout(seconds):
                await self.stopping.wait()
        except TimeoutError:
            return

    async def complete(self) -> None:
        await self.write(services.complete, measured=self.meter.measured())

    async def end(self, error: Exception) -> None:
        """Write the end that `error` means."""
        try:
            if isinstance(error, CancelObserved):
                return
            if isinstance(error, AttemptInterrupted):
                await self.interrupt(error.reason, error.detail)
            elif isinstance(error, XinferenceRefused | PictureError | StorageError):
                await self.write(services.fail, code=error.code, detail=str(error))
            elif isinstance(error, XinferenceError):
                await self.interrupt(await self.reason_of(error), str(error))
            else:
                logger.exception("task %s: unexpected", self.task.pk, exc_info=error)
                code = ErrorCode.INTERNAL_ERROR
                await self.write(services.fail, code=code, detail=repr(error))
        except (LeaseLost, TransitionRefused) as late:
            logger.info("task %s attempt %s was over: %s", self.task.pk, self.attempt, late)

    async def interrupt(self, reason: InterruptReason, detail: str) -> None:
        await self.write(services.interrupt, reason=reason, detail=detail)

    async def reason_of(self, error: XinferenceError) -> InterruptReason:
        """Why the attempt broke off; writes down what it says about the model server."""
        if isinstance(error, XinferenceKeyRefused):
            await self.database(services.refuse_key, now=timezone.now())
            return InterruptReason.KEY_REFUSED
        if isinstance(error, XinferenceAborted):
            return InterruptReason.CALL_ABORTED
        if isinstance(error, XinferenceFailed):
            reason = await self.look_at_the_model()
            if reason == InterruptReason.MODEL_LOST:
                await self.database(
                    services.record_lost,
                    name=self.task.model,
                    identity=self.claim.identity,
                    now=timezone.now(),
                )
            return reason
        await self.model_is_down()
        return InterruptReason.MODEL_DOWN

    async def look_at_the_model(self) -> InterruptReason:
        """A 500 or a dropped connection: is the process that drew still the same, and ready?

        The server goes on naming a dead process for some seconds, so one look is not enough.
        """
        for look in range(MODEL_LOOKS):
            if look and not self.stopping.is_set():
                await asyncio.sleep(MODEL_LOOK_PAUSE)
            try:
                served = {model.name: model for model in await self.client.image_models()}
            except XinferenceUnreachable:
                await self.model_is_down()
                return InterruptReason.MODEL_LOST
            except XinferenceError as error:
                # its own lists break while it restarts a model
                logger.info("instances cannot be read: %s", error)
                return InterruptReason.MODEL_LOST
            model = served.get(self.task.model)
            if model is None or not model.ready or model.identity != self.claim.identity:
                return InterruptReason.MODEL_LOST
        return InterruptReason.MODEL_ERROR

    async def model_is_down(self) -> None:
        await self.database(
            services.record_unreachable, code=ErrorCode.MODEL_DOWN, now=timezone.now()
        )

    async def settle(self) -> None:
        if self.call_is_over and not isinstance(self.why, LeaseLost):
            await self.database(
                services.settle_slot,
                slot_id=self.claim.slot_id,
                task_id=self.task.pk,
                attempt=self.attempt,
                now=timezone.now(),
            )

    async def make_thumbnail(self, image_id: int, name: str) -> None:
        """Its URL serves the picture itself until this is there, so a failure only costs bytes."""
        try:
            thumbnail = await asyncio.to_thread(images.make_thumbnail, name)
            if not await self.database(
                services.record_thumbnail, image_id=image_id, name=thumbnail
            ):
                await asyncio.to_thread(images.remove, thumbnail)
        except (StorageError, OSError) as error:
            logger.warning("no thumbnail for %s: %s", name, error)

    async def write(self, service: Callable[..., T], **values: Any) -> T:
        """Call a fenced service for this attempt."""
        return await self.database(
            service, task_id=self.task.pk, attempt=self.attempt, now=timezone.now(), **values
        )

    async def database(self, service: Callable[..., T], **values: Any) -> T:
        """Call a service; while the database is away, again, until the lease is lost."""
        while True:
            if isinstance(self.why, LeaseLost):
                raise self.why
            try:
                return await database_sync_to_async(service)(**values)
            except (OperationalError, InterfaceError) as error:
                logger.warning("database away: %s", type(error).__name__)
                await asyncio.sleep(DATABASE_PAUSE)
