"""One picture: the call, its progress, and the file."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from time import monotonic
from typing import Any

from generation import images, installation_id, parameters, selectors, services
from generation.choices import Basis, InterruptReason, Route, Step
from generation.clock import clock
from generation.exceptions import (
    AttemptInterrupted,
    CancelObserved,
    LeaseLost,
    PictureError,
    TransitionRefused,
    XinferenceDropped,
    XinferenceError,
    XinferenceKeyRefused,
)
from generation.images import Picture
from generation.limits import SEED_COUNT
from generation.log_lines import Outage
from generation.services import Boundary, Fraction, LastImage
from generation.teardown import cancel_and_wait
from generation.worker import decoder
from generation.worker.attempt import Attempt, on_disk
from generation.xinference import DrawRequest

logger = logging.getLogger(__name__)

ABORT_INTERVAL = 1.0
"""Seconds between aborts of a call that has not ended: the first may come before the call."""

ABORT_TIMEOUT = 30.0
"""Seconds after which a call that ignores its abort is no longer waited for."""

DISK_GRACE = 2.0
"""Seconds for which a run that has to end waits for the file of a picture that is drawn."""

MIN_STEPS_RISE, MIN_FRACTION_RISE = 0.5, 0.005
"""The smallest rise that counts as progress: in denoising steps, and as a fraction."""


class PictureCall:
    """Draws picture `index` of a run; one request id, one file."""

    def __init__(self, attempt: Attempt, index: int, mark_busy: Callable[[], None]) -> None:
        """`mark_busy` is told when the person behind the task waits for this process."""
        self.attempt = attempt
        self.mark_busy = mark_busy
        self.index = index
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
        self.step = Step.PREPARING
        self.least = max(MIN_STEPS_RISE / task.steps, MIN_FRACTION_RISE)
        self.fraction = 0.0
        self.written = 0.0
        self.moved = asyncio.Event()
        self.moved_at = monotonic()
        self.aborts = Outage(logger, "abort", request=self.request.request_id)

    async def run(self) -> tuple[int, str]:
        """Draw, check, write, store; (row id, file name) of the picture."""
        await self.prepare()
        try:
            text = await self.call()
        except PictureError:
            # there was an answer: what is wrong with it is found while finishing
            await self.begin(Step.FINISHING)
            raise
        self.mark_busy()
        return await self.store(await self.finish(text))

    async def finish(self, text: str) -> Picture:
        """Decode once, check, and splice in the settings, while the step is written down.

        Ended with the run: who cancels does not wait for a decoder.
        """
        picture = asyncio.create_task(self.attempt.unless_stopped(self.check(text)))
        try:
            await self.begin(Step.FINISHING)
            return await picture
        finally:
            await cancel_and_wait(picture)

    async def prepare(self) -> None:
        attempt = self.attempt
        attempt.meter.enter(Step.PREPARING)
        await attempt.write(
            services.begin_call,
            slot_id=attempt.claim.slot_id,
            request_id=self.request_id,
            seed=attempt.seed,
            boundary=self.boundary(Step.PREPARING, seed=attempt.seed),
        )

    def boundary(self, step: Step, *, observed: bool = True, **details: Any) -> Boundary:
        percent, remaining = self.attempt.meter.read()
        estimated = step in (Step.DECODING, Step.FINISHING)
        return Boundary(
            step=step,
            progress=percent,
            basis=Basis.ESTIMATED if estimated else Basis.MEASURED,
            eta_seconds=remaining,
            image=self.index,
            observed=observed,
            details=details,
        )

    async def call(self) -> str:
        """The model's answer; raises what ended the call instead."""
        attempt = self.attempt
        attempt.check_stop()
        attempt.call_is_over = False
        self.moved_at = monotonic()
        draw = asyncio.create_task(
            attempt.client.draw(
                model=attempt.task.model, route=attempt.claim.route, request=self.request
            )
        )
        follow = asyncio.create_task(self.watch_progress())
        try:
            await self.supervise(draw)
            attempt.call_is_over = True
            return draw.result()
        except (XinferenceError, PictureError) as error:
            # an answer, even a refusal, ends the call on the server's side too
            attempt.call_is_over = not isinstance(error, XinferenceDropped)
            raise
        except LeaseLost:
            # found out in the middle of a write, perhaps: the machine has to hear of it too
            if attempt.claim.route == Route.TXT2IMG and not draw.done():
                await self.abort_unless_over(draw)
            raise
        finally:
            left = await cancel_and_wait(follow, draw)
            # also while somebody was stopping it: what broke was the line, not the call
            ended = draw not in left and not draw.cancelled()
            if ended and isinstance(draw.exception(), XinferenceDropped):
                attempt.dropped = self.request_id

    async def supervise(self, draw: asyncio.Task[str]) -> None:
        """Write what is seen until the call has ended; end it if somebody wants that."""
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
                    await self.write_progress()
                elif self.seconds_left() <= 0 and not draw.done():
                    late = monotonic() >= self.attempt.deadline
                    await self.end_call(draw)
                    detail = "the deadline has passed" if late else "no progress"
                    raise AttemptInterrupted(InterruptReason.STALLED, detail)
        finally:
            stop.cancel()

    async def watch_progress(self) -> None:
        """Note each fraction that counts; `supervise` is the only one that writes.

        It ends by itself only when the key is refused: no process may send it any more.
        """
        async for fraction in self.attempt.client.watch(self.request.request_id):
            if self.is_progress(fraction):
                self.fraction = min(fraction, 1.0)
                self.moved_at = monotonic()
                self.moved.set()
        await self.attempt.database(services.refuse_key, now=clock.now())

    def is_progress(self, fraction: float) -> bool:
        """Whether the progress is news: it begins, it is whole, or it rose by enough.

        Smaller rises add up: they are compared with the last one that counted.
        """
        if self.fraction == 0 or fraction >= 1:
            return fraction > 0 and self.fraction < 1
        return fraction - self.fraction >= self.least

    def seconds_left(self) -> float:
        """Seconds left until this call counts as stalled, or its deadline has passed."""
        limit = selectors.stall_limit(self.attempt.task.expected_durations).total_seconds()
        return max(0.0, min(self.moved_at + limit, self.attempt.deadline) - monotonic())

    async def write_progress(self) -> None:
        """The newest fraction, with the boundaries on either side of it."""
        if self.fraction <= 0:
            return
        seen: list[Boundary | Fraction] = []
        if self.step == Step.PREPARING:
            seen += self.passed(Step.GENERATING)
        if self.has_new_fraction:
            seen.append(self.measured())
        if self.fraction >= 1 and self.step == Step.GENERATING:
            seen += self.passed(Step.DECODING)
        if seen:
            await self.attempt.write(services.record_seen, seen=seen)

    @property
    def has_new_fraction(self) -> bool:
        """Whether there is a fraction to write, and the attempt may write one more."""
        rose = self.fraction > self.written and self.step == Step.GENERATING
        return rose and self.attempt.fractions_left > 0

    def measured(self) -> Fraction:
        self.attempt.fractions_left -= 1
        self.written = self.fraction
        percent, remaining = self.attempt.meter.read(self.fraction)
        steps = self.attempt.task.steps
        return Fraction(
            progress=percent,
            eta_seconds=remaining,
            image=self.index,
            fraction=self.fraction,
            done=round(self.fraction * steps),
            total=steps,
        )

    async def begin(self, step: Step) -> None:
        """`step` began; boundaries nobody saw pass are written with it, marked as such."""
        await self.attempt.write(services.record_seen, seen=self.passed(step))

    def passed(self, step: Step) -> list[Boundary]:
        order = list(Step)
        boundaries = []
        for each in order[order.index(self.step) + 1 : order.index(step) + 1]:
            self.attempt.meter.enter(each, observed=each == step)
            details = {"steps": self.attempt.task.steps} if each == Step.GENERATING else {}
            boundaries.append(self.boundary(each, observed=each == step, **details))
        self.step = step
        return boundaries

    async def stop_call(self, draw: asyncio.Task[str]) -> None:
        """Somebody stopped the run: end the call as its route allows, then raise why."""
        if self.attempt.claim.route == Route.TXT2IMG:
            await self.end_call(draw)
        elif isinstance(self.attempt.stop_reason, CancelObserved):
            await self.wait_for_end(draw)
        self.attempt.check_stop()

    async def wait_for_end(self, draw: asyncio.Task[str]) -> None:
        """Wait for a call that must not be aborted (the next one would break); lost = enough."""
        while not draw.done() and self.seconds_left() > 0:
            if isinstance(self.attempt.stop_reason, LeaseLost):
                return
            await asyncio.wait({draw}, timeout=min(ABORT_INTERVAL, self.seconds_left()))
        self.attempt.call_is_over = True

    async def end_call(self, draw: asyncio.Task[str]) -> None:
        """Abort until the call has ended; a call that ignores it is left after a while.

        Leaving it then frees the slot: the stall limit is the last word on a silent machine.
        """
        attempt = self.attempt
        deadline = monotonic() + ABORT_TIMEOUT
        allows_request = attempt.claim.route == Route.TXT2IMG
        while not draw.done() and monotonic() < deadline:
            allows_request = allows_request and await self.abort_unless_over(draw)
            await asyncio.wait({draw}, timeout=ABORT_INTERVAL)
        attempt.call_is_over = True

    async def abort_unless_over(self, draw: asyncio.Task[str]) -> bool:
        """Ask once, and do not wait for the answer once the call has ended; as `abort`."""
        abort = asyncio.create_task(self.abort())
        try:
            await asyncio.wait({draw, abort}, return_when=asyncio.FIRST_COMPLETED)
            return abort.result() if abort.done() else True
        finally:
            await cancel_and_wait(abort)

    async def abort(self) -> bool:
        """Ask once; whether it makes sense to ask again."""
        attempt = self.attempt
        try:
            await attempt.client.abort(model=attempt.task.model, request_id=self.request.request_id)
        except XinferenceKeyRefused:
            # each further try brings the ban of our address nearer
            await attempt.database(services.refuse_key, now=clock.now())
            return False
        except XinferenceError as error:
            self.aborts.failed(error)
        return True

    async def check(self, text: str) -> Picture:
        request = self.request
        return await decoder.check(
            text,
            width=request.width,
            height=request.height,
            parameters=parameters.to_text(
                prompt=request.prompt,
                negative_prompt=request.negative_prompt,
                steps=request.steps,
                guidance=request.guidance,
                seed=request.seed,
                width=request.width,
                height=request.height,
                model=self.attempt.task.model,
            ),
        )

    async def store(self, picture: Picture) -> tuple[int, str]:
        """File first, then its row; if the row is refused, the file goes again.

        A row that hangs while the lease is lost may still be written: its file stays, and if no
        row came of it, the sweep takes it.
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
                last=self.last(),
            )
        except TransitionRefused:
            await on_disk(images.remove, name)
            raise
        self.mark_busy()
        attempt.settled = self.is_last
        return image.pk, name

    @property
    def is_last(self) -> bool:
        return self.index == self.attempt.claim.missing[-1]

    def last(self) -> LastImage | None:
        if not self.is_last:
            return None
        measured = self.attempt.meter.measured()
        return LastImage(slot_id=self.attempt.claim.slot_id, measured=measured)
