"""Rules of two workers."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db.models import Q
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from generation import services
from generation.choices import Basis, DelayReason, InterruptReason, Step
from generation.choices import TaskStatus as Status
from generation.error_codes import ErrorCode
from generation.exceptions import TransitionRefused
from generation.models import GeneratedImage, GenerationTask, ModelSlot, ModelState
from generation.services import AbandonedCall, Boundary, Claim, LastImage
from tests import factories
from tests.laws.user_rules import FakeWorker, UserRules
from tests.pictures import picture

WORKERS = st.integers(0, 1)
WHICH = st.integers(0, 3)
WORK = (
    *("claims", "claims", "claims", "beats", "beats", "takes over", "settles", "settles"),
    *("was frozen", "dies"),
)
RUN = (
    *("begins a step", "waits", "stores", "stores", "stores", "completes", "completes", "fails"),
    *("stores the last", "stores the last"),
    *("is interrupted", "is interrupted", "ends without a word"),
)
"""Named more than once: more often. Rules of their own would be left out of whole lives."""


class WorkerRules(UserRules):
    """A worker acts on what it believes to hold, however long it did nothing."""

    def holding(self) -> list[Claim]:
        """What workers believe to hold; one that did nothing for long may be wrong."""
        return [claim for worker in self.workers for claim in worker.claims]

    @rule(worker=WORKERS, act=st.sampled_from(WORK))
    def a_worker_acts(self, worker: int, act: str) -> None:
        me = self.workers[worker]
        match act:
            case "claims":
                self.claim(me)
            case "beats":
                self.heartbeat(me)
            case "takes over":
                self.take_over(me)
            case "settles" if me.abandoned:
                self.settle(me.abandoned.pop(0))
            case "was frozen":
                self.freeze_until_take_over(self.workers[1 - worker])
            case "dies":
                self.workers[worker] = FakeWorker(self.now)

    def claim(self, me: FakeWorker) -> None:
        self.tick()
        could = [self.could_claim(state) for state in ModelState.objects.order_by("name")]
        claims = services.claim(worker_id=me.id, now=self.now, most=2)
        assert len(claims) == next((min(2, count) for count in could if count), 0)
        for claim in claims:
            slot = ModelSlot.objects.get(pk=claim.slot_id)
            assert slot.model == claim.task.model
            assert slot.number <= ModelState.objects.get(name=slot.model, ready=True).slots
        me.claims += claims

    def could_claim(self, state: ModelState) -> int:
        free = ModelSlot.objects.filter(
            model=state.name, task__isnull=True, number__lte=state.slots
        )
        may_begin = Q(retry_at__isnull=True) | Q(retry_at__lte=self.now)
        waiting = GenerationTask.objects.claimable().filter(may_begin, model=state.name)
        return min(free.count(), waiting.count()) if state.ready else 0

    def heartbeat(self, me: FakeWorker) -> None:
        before = {slot.pk: slot for slot in ModelSlot.objects.filter(task__isnull=False)}
        known = [*(each.slot_id for each in me.claims), *(each.slot_id for each in me.abandoned)]
        services.heartbeat(worker_id=me.id, slot_ids=known, draining=False, now=self.now)
        for slot in ModelSlot.objects.filter(task__isnull=False):
            old = before[slot.pk].lease_until
            mine = slot.worker_id == me.id and slot.pk in known
            assert old is not None
            alive = mine and old >= self.now
            assert (slot.lease_until != old) <= alive

    def take_over(self, me: FakeWorker) -> None:
        """Now; the call behind each slot is known to be over some time later."""
        expired = set(
            ModelSlot.objects.filter(lease_until__lt=self.now).values_list("pk", flat=True)
        )
        taken = services.take_over_expired(worker_id=me.id, now=self.now)
        assert {each.slot_id for each in taken} == expired
        lost = [each.task_id for each in taken]
        assert not GenerationTask.objects.running().filter(pk__in=lost).exists()
        me.abandoned += sorted(taken, key=lambda each: each.slot_id)

    def freeze_until_take_over(self, me: FakeWorker) -> None:
        """A frozen worker keeps its claims; later rules may let it act on them."""
        self.now += timedelta(seconds=31)
        self.take_over(me)
        for abandoned in me.abandoned:
            self.settle(abandoned)
        me.abandoned.clear()
        self.claim(me)

    def settle(self, held: Claim | AbandonedCall) -> None:
        key, attempt = (
            (held.task.pk, held.task.attempt)
            if isinstance(held, Claim)
            else (held.task_id, held.attempt)
        )
        slot = ModelSlot.objects.filter(pk=held.slot_id, task=key, attempt=attempt)
        held_still = slot.exists()
        assert factories.settle(held, self.now) == held_still
        assert not slot.exists()

    @precondition(lambda self: bool(self.holding()))
    @rule(
        which=WHICH,
        act=st.sampled_from(RUN),
        step=st.sampled_from(list(Step)[2:6]),
        reason=st.sampled_from(list(InterruptReason)),
        over=st.booleans(),
    )
    def a_run_goes_on(
        self, which: int, act: str, step: Step, reason: InterruptReason, over: bool
    ) -> None:
        holding = self.holding()
        claim = holding[which % len(holding)]
        match act:
            case "begins a step":
                self.begin_step(claim, step)
            case "waits":
                self.wait(claim)
            case "stores":
                self.store(claim)
            case "stores the last":
                self.store_the_last(claim)
            case "completes":
                self.complete(claim)
            case "fails":
                self.fail(claim)
            case "is interrupted":
                self.write(claim, services.interrupt, wanted=False, reason=reason, detail="")
                self.forget_claim(claim, over=over)
            case "ends without a word":
                # so does every run that was cancelled; its slot says the rest
                self.forget_claim(claim, over=True)

    def write(
        self,
        claim: Claim,
        service: Callable[..., Any],
        *,
        wanted: bool,
        possible: bool = True,
        **values: Any,
    ) -> bool:
        """Call a fenced service as this claim; it is taken exactly if the claim still holds."""
        before = GenerationTask.objects.get(pk=claim.task.pk)
        holds = (
            before.status == Status.RUNNING and before.attempt == claim.task.attempt and possible
        )
        if wanted and before.cancel_requested_at is not None:
            holds = False
        try:
            service(task_id=before.pk, attempt=claim.task.attempt, now=self.now, **values)
        except TransitionRefused:
            after = GenerationTask.objects.get(pk=before.pk)
            assert not holds
            assert (after.newest_seq, after.status) == (before.newest_seq, before.status)
            return False
        assert holds
        return True

    def begin_step(self, claim: Claim, step: Step) -> None:
        progress = max(GenerationTask.objects.get(pk=claim.task.pk).progress, 50)
        boundary = Boundary(
            step=step, progress=progress, basis=Basis.MEASURED, eta_seconds=1.0, image=1, details={}
        )
        if step != Step.PREPARING:
            self.write(claim, services.record_progress, wanted=False, seen=[boundary])
            return
        call: dict[str, Any] = {"slot_id": claim.slot_id, "request_id": uuid.uuid4(), "seed": 1}
        self.write(claim, services.begin_call, wanted=False, boundary=boundary, **call)

    def wait(self, claim: Claim) -> None:
        reason = DelayReason.MODEL_BUSY
        wait = timedelta(seconds=1)
        self.write(claim, services.record_delay, wanted=False, reason=reason, wait=wait)

    def store(self, claim: Claim) -> None:
        missing = self.missing(claim)
        if missing:
            self.write_image(claim, missing[0])

    def store_the_last(self, claim: Claim) -> None:
        """Refused while another picture is missing; else the task and its call are over."""
        missing = self.missing(claim)
        if not missing:
            return
        last = LastImage(slot_id=claim.slot_id, measured={"generating": 1.0})
        whole = (
            GenerationTask.objects.get(pk=claim.task.pk).images.count() + 1
            == claim.task.image_count
        )
        if self.write_image(claim, missing[-1], possible=whole, last=last):
            task = GenerationTask.objects.get(pk=claim.task.pk)
            assert task.status == Status.COMPLETED
            assert task.images.count() == task.image_count
            assert not ModelSlot.objects.filter(task=task).exists()
            self.forget_claim(claim, over=False)

    def missing(self, claim: Claim) -> list[int]:
        images = GeneratedImage.objects.filter(task=claim.task.pk)
        stored = set(images.values_list("index", flat=True))
        return [k for k in claim.missing if k not in stored]

    def write_image(self, claim: Claim, index: int, **more: Any) -> bool:
        return self.write(
            claim,
            services.store_image,
            wanted=True,
            index=index,
            name=f"{claim.task.pk}/{index}-{claim.task.attempt}.jpg",
            picture=picture(),
            seed=1,
            demo=True,
            progress=99,
            eta_seconds=0.0,
            **more,
        )

    def complete(self, claim: Claim) -> None:
        """Refused while a picture is missing, and then the run goes on."""
        task = GenerationTask.objects.get(pk=claim.task.pk)
        whole = task.images.count() == task.image_count
        done = self.write(
            claim, services.complete, wanted=True, possible=whole, measured={"generating": 1.0}
        )
        if done or whole:
            self.forget_claim(claim, over=True)

    def fail(self, claim: Claim) -> None:
        code = ErrorCode.REQUEST_REFUSED
        if GenerationTask.objects.get(pk=claim.task.pk).cancel_requested_at is None:
            self.write(claim, services.fail, wanted=True, code=code, detail="raw")
        self.forget_claim(claim, over=True)

    def forget_claim(self, claim: Claim, *, over: bool) -> None:
        """The run has ended; its slot is freed only if the call is known to be over."""
        for worker in self.workers:
            worker.claims = [each for each in worker.claims if each is not claim]
        if over:
            self.settle(claim)
