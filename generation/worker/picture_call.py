"""One call to the model server: its progress, its end, and the image that it returns."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from generation import images, installation_id, selectors, services
from generation.choices import InterruptReason, Route, Step
from generation.clock import clock
from generation.exceptions import (
    AttemptInterrupted,
    CancelObserved,
    LeaseLost,
    PictureError,
    TransitionRefused,
    XinferenceDropped,
)
from generation.images import Picture
from generation.limits import SEED_COUNT
from generation.services import LastImage
from generation.shutdown import cancel_and_wait
from generation.worker import decoder
from generation.worker.aborts import abort_call
from generation.worker.attempt import Attempt, on_disk
from generation.xinference import DrawRequest

DISK_GRACE = 2.0
"""Seconds that writing a finished image may still take once the run has to stop."""

MIN_STEPS_RISE, MIN_FRACTION_RISE = 0.5, 0.005
"""The smallest rise that counts as progress: in denoising steps, and as a fraction."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The image has its file and its row.

    `slot_freed`: it was the last one, so the same transaction completed the task and freed the
    slot.
    """

    image_id: int
    name: str
    slot_freed: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """No image was stored, because of `reason`.

    `call_over`: the model server no longer works on the call, so the slot may be freed.
    `dropped`: the request id, if the connection broke and the server may still work on it.
    """

    reason: Exception
    call_over: bool = True
    dropped: uuid.UUID | None = None


class PictureCall:
    """Draws image `index` of a task: one request id, one file."""

    def __init__(
        self, attempt: Attempt, index: int, *, deadline: float, mark_busy: Callable[[], None]
    ) -> None:
        """`deadline`: in the time of `monotonic`; `mark_busy`: called when a user waits."""
        self.attempt = attempt
        self.index = index
        self.deadline = deadline
        self.mark_busy = mark_busy
        self.request_id = installation_id.new_request_id()
        task = attempt.task
        self.request = DrawRequest(
            request_id=str(self.request_id),
            prompt=task.prompt,
            negative_prompt=task.negative_prompt,
            width=task.width,
            height=task.height,
            steps=task.steps,
            guidance=task.guidance,
            seed=(attempt.seed + index - 1) % SEED_COUNT,
        )
        self.min_rise = max(MIN_STEPS_RISE / task.steps, MIN_FRACTION_RISE)
        self.fraction = 0.0
        self.moved = asyncio.Event()
        self.moved_at = monotonic()
        self.gave_up = False
        """Whether waiting for the end of the call took too long."""
        self.call_over = True
        self.dropped: uuid.UUID | None = None

    async def run(self) -> Stored | Ended:
        """Draw, check and store the image; nothing is raised but cancellation."""
        try:
            return await self.draw_and_store()
        except Exception as error:  # noqa: BLE001  the run decides what follows
            return Ended(error, call_over=self.call_over, dropped=self.dropped)

    async def draw_and_store(self) -> Stored:
        await self.prepare()
        try:
            text = await self.call()
        except PictureError:
            # the server has answered: checking its answer is part of finishing
            await self.begin(Step.FINISHING)
            raise
        self.mark_busy()
        return await self.store(await self.finish(text))

    async def prepare(self) -> None:
        """Store the parameters and the request id before the call is sent."""
        attempt = self.attempt
        await attempt.write(
            services.begin_call,
            slot_id=attempt.claim.slot_id,
            request_id=self.request_id,
            seed=attempt.seed,
            boundary=attempt.meter.start_image(self.index, seed=attempt.seed),
        )

    async def call(self) -> str:
        """The image as base64 text; raises what ended the call instead."""
        attempt = self.attempt
        attempt.check_stop()
        self.moved_at = monotonic()
        draw = asyncio.create_task(
            attempt.client.draw(
                model=attempt.task.model, route=attempt.claim.route, request=self.request
            )
        )
        watch = asyncio.create_task(self.watch_progress())
        self.call_over = False
        try:
            await self.supervise(draw)
            return draw.result()
        finally:
            await cancel_and_wait(watch, draw)
            answered = draw.done() and not draw.cancelled()
            if answered and isinstance(draw.exception(), XinferenceDropped):
                self.dropped = self.request_id
            else:
                # any other answer, even a refusal, ends the call on the server too
                self.call_over = answered or self.gave_up

    async def supervise(self, draw: asyncio.Task[str]) -> None:
        """Write progress until the call has ended; end it if the run is stopped or it stalls."""
        stop = asyncio.create_task(self.attempt.stopping.wait())
        try:
            while not draw.done():
                moved = asyncio.create_task(self.moved.wait())
                await asyncio.wait(
                    {draw, stop, moved},
                    timeout=self.seconds_left(),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                moved.cancel()
                if stop.done():
                    await self.stop_call(draw)
                elif self.moved.is_set():
                    self.moved.clear()
                    # `stopping` is set too: the next turn stops the call
                    with contextlib.suppress(LeaseLost):
                        await self.write_progress()
                elif self.seconds_left() <= 0 and not draw.done():
                    is_late = monotonic() >= self.deadline
                    await self.end_call(draw)
                    detail = "the deadline has passed" if is_late else "no progress"
                    raise AttemptInterrupted(InterruptReason.STALLED, detail)
        finally:
            stop.cancel()

    async def stop_call(self, draw: asyncio.Task[str]) -> None:
        """End the call as its route allows, then raise why the run was stopped."""
        if self.attempt.claim.route == Route.TXT2IMG:
            await self.end_call(draw)
        elif isinstance(self.attempt.stop_reason, CancelObserved):
            await self.wait_for_end(draw)
        self.attempt.check_stop()

    async def end_call(self, draw: asyncio.Task[str]) -> None:
        """End the call. One that ignores aborts counts as over, so that the slot becomes free."""
        await abort_call(self.attempt, self.request.request_id, draw)
        self.gave_up = True

    async def wait_for_end(self, draw: asyncio.Task[str]) -> None:
        """Wait for a call that must not be aborted, because its abort would break the next one.

        Return early when the lease is lost.
        """
        ends: set[asyncio.Future[Any]] = {draw, self.attempt.lost}
        while not any(each.done() for each in ends):
            if self.seconds_left() <= 0:
                self.gave_up = True
                return
            await asyncio.wait(
                ends, timeout=self.seconds_left(), return_when=asyncio.FIRST_COMPLETED
            )

    def seconds_left(self) -> float:
        """Seconds until this call counts as stalled or its deadline passes, at least 0.

        Before its first progress it may wait behind calls of other programs, each as long.
        """
        limit = selectors.stall_limit(self.attempt.task.expected_durations).total_seconds()
        if self.fraction == 0:
            limit *= 1 + self.attempt.claim.other_calls
        return max(0.0, min(self.moved_at + limit, self.deadline) - monotonic())

    async def watch_progress(self) -> None:
        """Keep the newest fraction; `supervise` writes it.

        Returns only if the server refuses the key: then no process may send it.
        """
        async for fraction in self.attempt.client.watch(self.request.request_id):
            if self.is_progress(fraction):
                self.fraction = min(fraction, 1.0)
                self.moved_at = monotonic()
                self.moved.set()
        await self.attempt.database(
            services.refuse_key, server_id=self.attempt.claim.server_id, now=clock.now()
        )

    def is_progress(self, fraction: float) -> bool:
        """Whether the fraction is the first, or the last, or has risen by `min_rise`.

        Smaller rises add up, because each is compared with the last one that counted.
        """
        if self.fraction == 0 or fraction >= 1:
            return fraction > 0 and self.fraction < 1
        return fraction - self.fraction >= self.min_rise

    async def write_progress(self) -> None:
        """Write the newest fraction and the steps that began before or with it."""
        meter = self.attempt.meter
        seen = [*meter.advance(Step.GENERATING), *meter.fractions(self.fraction)]
        if self.fraction >= 1:
            seen += meter.advance(Step.DECODING)
        if seen:
            await self.attempt.write(services.record_progress, seen=seen)

    async def begin(self, step: Step) -> None:
        """Write that `step` began, and before it the steps that passed unobserved."""
        await self.attempt.write(services.record_progress, seen=self.attempt.meter.advance(step))

    async def finish(self, text: str) -> Picture:
        """Decode and check the image while the step is written.

        A stopped run ends the decoder at once, so that a cancel does not wait for it.
        """
        picture = asyncio.create_task(self.check(text))
        try:
            await self.begin(Step.FINISHING)
            return await picture
        finally:
            await cancel_and_wait(picture)

    async def check(self, text: str) -> Picture:
        task = self.attempt.task
        settings = selectors.parameters_text(task, seed=self.request.seed)
        check = decoder.check(text, width=task.width, height=task.height, parameters=settings)
        return await self.attempt.unless_stopped(check)

    async def store(self, picture: Picture) -> Stored:
        """Write the file, then its row; remove the file if the row is refused.

        If the lease is lost while the row is written, the database may still take it, so the file
        stays. Without a row the cleanup removes it.
        """
        attempt = self.attempt
        name = images.file_name(
            task_id=str(attempt.task.pk), index=self.index, attempt=attempt.number, picture=picture
        )
        attempt.check_stop()
        writing = on_disk(images.write, name, picture.data)
        await attempt.unless_stopped(writing, grace=DISK_GRACE)
        attempt.meter.picture_stored()
        percent, remaining = attempt.meter.read()
        is_last = self.index == attempt.claim.missing[-1]
        last = LastImage(slot_id=attempt.claim.slot_id, measured=attempt.meter.measured())
        try:
            image = await attempt.write(
                services.store_image,
                index=self.index,
                name=name,
                picture=picture,
                seed=self.request.seed,
                demo=attempt.claim.demo,
                progress=percent,
                eta_seconds=remaining,
                last=last if is_last else None,
            )
        except TransitionRefused:
            await on_disk(images.remove, name)
            raise
        self.mark_busy()
        return Stored(image.pk, name, slot_freed=is_last)
