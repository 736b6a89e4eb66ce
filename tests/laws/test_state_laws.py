"""The laws of a task's life, tried against every order of calls hypothesis can think of."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from generation import selectors, services
from generation.choices import (
    TERMINAL,
    Basis,
    ErrorCode,
    EventKind,
    InterruptReason,
    Step,
    TaskStatus,
)
from generation.exceptions import TransitionRefused
from generation.models import GeneratedImage, GenerationTask, ModelSlot, TaskEvent
from generation.protocol import Generate
from generation.services import Boundary, Claim
from tests.conftest import serve_model
from tests.pictures import picture

LEASE = timedelta(seconds=30)
REASONS = list(InterruptReason)


class Life(RuleBasedStateMachine):
    """Two owners, two workers, two slots, one clock; every rule is one service call."""

    tasks = Bundle("tasks")
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.world = transaction.atomic()
        self.world.__enter__()
        self.now: datetime = timezone.now()
        self.owners = [User.objects.create_user(f"owner-{uuid.uuid4()}") for _ in range(2)]
        self.workers = [
            services.register_worker(host="h", pid=k, version="t", now=self.now) for k in range(2)
        ]
        self.ended: dict[Any, str] = {}
        serve_model(now=self.now, slots=2)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.world.__exit__(None, None, None)

    def tried(self, service: Any, **values: Any) -> bool:
        """Whether the service took the call; a refusal must leave no trace (see the invariants)."""
        try:
            service(now=self.now, **values)
        except TransitionRefused:
            return False
        return True

    @rule(target=tasks, owner=st.integers(0, 1), n=st.integers(1, 2))
    def submit(self, owner: int, n: int) -> uuid.UUID:
        request = Generate(prompt="LiuJuan", n=n, request_key=uuid.uuid4())
        submission = services.submit(owner=self.owners[owner], request=request, now=self.now)
        again = services.submit(owner=self.owners[owner], request=request, now=self.now)
        assert not submission.duplicate
        assert again.duplicate
        assert again.task.pk == submission.task.pk
        return submission.task.pk

    @rule(target=claims, worker=st.integers(0, 1))
    def claim(self, worker: int) -> Any:
        free = ModelSlot.objects.filter(task__isnull=True).exists()
        may_begin = Q(not_before__isnull=True) | Q(not_before__lte=self.now)
        waiting = GenerationTask.objects.claimable().filter(may_begin).exists()
        claim = services.claim(worker_id=self.workers[worker].pk, now=self.now)
        assert (claim is not None) == (free and waiting)
        if claim is None:
            return multiple()
        assert claim.task.cancel_requested_at is None
        return claim

    @rule(seconds=st.sampled_from([1, 10, 31]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(worker=st.integers(0, 1))
    def heartbeat(self, worker: int) -> None:
        mine = ModelSlot.objects.filter(worker=self.workers[worker].pk)
        services.beat(
            worker_id=self.workers[worker].pk,
            slot_ids=list(mine.values_list("pk", flat=True)),
            draining=False,
            now=self.now,
        )

    @rule(worker=st.integers(0, 1))
    def leases_expire(self, worker: int) -> None:
        for abandoned in services.expire_leases(worker_id=self.workers[worker].pk, now=self.now):
            services.settle_slot(
                slot_id=abandoned.slot_id,
                task_id=abandoned.task_id,
                attempt=abandoned.attempt,
                now=self.now,
            )

    @rule(claim=claims, step=st.sampled_from([Step.GENERATING, Step.DECODING]))
    def step_begins(self, claim: Claim, step: Step) -> None:
        task = GenerationTask.objects.get(pk=claim.task.pk)
        boundary = Boundary(
            step=step,
            progress=max(task.progress, 50),
            basis=Basis.MEASURED,
            eta_seconds=1.0,
            image=1,
            details={},
        )
        self.tried(
            services.begin_steps,
            task_id=claim.task.pk,
            attempt=claim.task.attempt,
            boundaries=[boundary],
        )

    @rule(claim=claims)
    def picture_is_stored(self, claim: Claim) -> None:
        stored = GeneratedImage.objects.filter(task=claim.task.pk).count()
        if stored == claim.task.n:
            return
        wanted = not GenerationTask.objects.get(pk=claim.task.pk).cancel_requested_at
        done = self.tried(
            services.store_image,
            task_id=claim.task.pk,
            attempt=claim.task.attempt,
            index=stored + 1,
            name=f"{uuid.uuid4()}.jpg",
            picture=picture(),
            seed=1,
            demo=True,
            progress=99,
            eta_seconds=0.0,
        )
        assert wanted or not done

    @rule(claim=claims)
    def run_completes(self, claim: Claim) -> None:
        self.tried(
            services.complete,
            task_id=claim.task.pk,
            attempt=claim.task.attempt,
            measured={"generating": 1.0},
        )
        self.settle(claim)

    @rule(claim=claims)
    def run_fails(self, claim: Claim) -> None:
        self.tried(
            services.fail,
            task_id=claim.task.pk,
            attempt=claim.task.attempt,
            code=ErrorCode.REQUEST_REFUSED,
            detail="raw",
        )
        self.settle(claim)

    @rule(claim=claims, reason=st.sampled_from(REASONS), over=st.booleans())
    def run_is_interrupted(self, claim: Claim, reason: InterruptReason, over: bool) -> None:
        self.tried(
            services.interrupt,
            task_id=claim.task.pk,
            attempt=claim.task.attempt,
            reason=reason,
            detail="",
        )
        if over:
            self.settle(claim)

    def settle(self, claim: Claim) -> None:
        services.settle_slot(
            slot_id=claim.slot_id,
            task_id=claim.task.pk,
            attempt=claim.task.attempt,
            now=self.now,
        )

    @rule(task_id=tasks)
    def cancel_of_any_task_is_requested(self, task_id: uuid.UUID) -> None:
        self.cancel_is_requested(task_id)

    def cancel_is_requested(self, task_id: uuid.UUID) -> None:
        before = GenerationTask.objects.get(pk=task_id)
        answer = services.request_cancel(task_id=task_id, now=self.now)
        after = GenerationTask.objects.get(pk=task_id)
        if answer == "already_finished":
            assert before.newest_seq == after.newest_seq
        elif answer == "cancelled":
            assert after.status == TaskStatus.CANCELLED
            assert not ModelSlot.objects.filter(task=task_id).exists()
        else:
            assert after.cancel_requested_at is not None
            assert ModelSlot.objects.filter(task=task_id).exists()

    @rule(claim=claims)
    def cancel_of_a_claimed_task_is_requested(self, claim: Claim) -> None:
        self.cancel_is_requested(claim.task.pk)

    @rule(task_id=tasks)
    def retry_is_asked(self, task_id: uuid.UUID) -> None:
        task = GenerationTask.objects.get(pk=task_id)
        try:
            first = services.retry(task=task, key=None, now=self.now)
            second = services.retry(task=task, key=None, now=self.now)
        except TransitionRefused:
            assert task.status not in (TaskStatus.FAILED, TaskStatus.CANCELLED)
        else:
            assert first.task.pk == second.task.pk

    @invariant()
    def seq_has_no_gap_and_the_row_is_the_fold_of_its_log(self) -> None:
        for task in GenerationTask.objects.all():
            seqs = list(
                TaskEvent.objects.filter(task=task).order_by("seq").values_list("seq", flat=True)
            )
            assert seqs == list(range(1, task.newest_seq + 1))
            state = selectors.state_of(task.pk)
            assert state["status"] == task.status
            assert state["step"] == task.step
            assert state["attempt"] == task.attempt
            assert state["progress"] == round(task.progress, 1)
            assert len(state["images"]) == task.images.count()
            assert (state["cancel_requested"] is not None) == bool(task.cancel_requested_at)

    @invariant()
    def a_finished_task_never_changes_its_status(self) -> None:
        for task in GenerationTask.objects.filter(status__in=TERMINAL):
            assert self.ended.setdefault(task.pk, task.status) == task.status
            last = TaskEvent.objects.filter(task=task).latest("seq")
            assert last.kind == task.status

    @invariant()
    def a_running_task_holds_exactly_one_slot(self) -> None:
        for task in GenerationTask.objects.running():
            slots = ModelSlot.objects.filter(task=task)
            assert [slot.attempt for slot in slots] == [task.attempt]

    @invariant()
    def cancelled_is_written_only_when_no_machine_works_on_it(self) -> None:
        cancelled = GenerationTask.objects.filter(status=TaskStatus.CANCELLED)
        assert not ModelSlot.objects.filter(task__in=cancelled).exists()

    @invariant()
    def the_percent_never_goes_back_within_an_attempt(self) -> None:
        for task in GenerationTask.objects.all():
            highest: dict[int, float] = {}
            for event in TaskEvent.objects.filter(task=task).order_by("seq"):
                if event.kind == EventKind.INTERRUPTED:
                    # the attempt is over; what follows stands at what is stored
                    highest.pop(event.attempt, None)
                    continue
                assert event.progress >= highest.get(event.attempt, 0.0)
                highest[event.attempt] = event.progress
                assert (event.progress == 100) == (event.kind == EventKind.COMPLETED)


@pytest.mark.django_db
def test_every_order_of_calls_keeps_the_laws() -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=50,
            stateful_step_count=40,
            deadline=None,
            # shrinking replays hundreds of lives: add Phase.shrink by hand to read a failure
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )
