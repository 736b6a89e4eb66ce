"""Rules of users, two models and one clock."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, precondition, rule

from generation import services
from generation.choices import LimitKind
from generation.choices import TaskStatus as Status
from generation.exceptions import TransitionRefused
from generation.models import GenerationTask, LimitOverride, ModelSlot
from generation.protocol import Generate
from generation.services import AbandonedCall, Claim
from tests.conftest import MODEL
from tests.factories import observed, record_models
from tests.laws.invariants import Invariants

MODELS = (MODEL, "another-model")


class FakeWorker:
    """What a worker process knows: its row, what it draws, and the calls it took over."""

    def __init__(self, now: datetime) -> None:
        row = services.register_worker(host="h", pid=1, version="t", now=now)
        self.id = row.pk
        self.claims: list[Claim] = []
        self.abandoned: list[AbandonedCall] = []


class UserRules(Invariants):
    """Rules for submissions and models; rules for workers are in `worker_rules`."""

    tasks = Bundle("tasks")

    def __init__(self) -> None:
        super().__init__()
        self.world = transaction.atomic()
        self.world.__enter__()
        self.now: datetime = timezone.now()
        self.owners = [User.objects.create_user(f"owner-{uuid.uuid4()}") for _ in range(2)]
        for owner in self.owners:
            for kind in (LimitKind.PICTURES, LimitKind.EFFORT, LimitKind.STORAGE):
                LimitOverride.objects.create(user=owner, kind=kind, value=10**12)
        self.workers = [FakeWorker(self.now) for _ in range(2)]
        self.models_are_seen(1, 2)

    def teardown(self) -> None:
        # whatever happened: every cancel became a fact with its slot
        assert services.finish_cancels(now=self.now) == 0
        transaction.set_rollback(True)
        self.world.__exit__(None, None, None)

    @rule(first=st.integers(1, 2), second=st.integers(0, 2))
    def models_are_seen(self, first: int, second: int) -> None:
        """Each with so many replicas; without any it is not ready."""
        counts = zip(MODELS, (first, second), strict=True)
        seen = [observed(name, count, ready=count > 0) for name, count in counts]
        record_models(*seen, now=self.now)

    def tick(self) -> None:
        """No two in the same moment: their order would hang on random keys."""
        self.now += timedelta(milliseconds=1)

    @precondition(lambda self: GenerationTask.objects.unfinished().exists())
    @rule(seconds=st.sampled_from([1, 11, 31]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: GenerationTask.objects.waiting().count() < 3)
    @rule(target=tasks, owner=st.integers(0, 1), model=st.sampled_from(MODELS), n=st.integers(1, 3))
    def submit(self, owner: int, model: str, n: int) -> uuid.UUID:
        self.tick()
        request = Generate(prompt="LiuJuan", n=n, model=model, request_key=uuid.uuid4())
        submission = services.submit(owner=self.owners[owner], request=request, now=self.now)
        again = services.submit(owner=self.owners[owner], request=request, now=self.now)
        assert not submission.duplicate
        assert again.duplicate
        assert again.task.pk == submission.task.pk
        return submission.task.pk

    @rule(task_id=tasks)
    def cancel_is_requested(self, task_id: uuid.UUID) -> None:
        before = GenerationTask.objects.get(pk=task_id)
        held = ModelSlot.objects.filter(task=task_id).exists()
        answer = services.request_cancel(task_id=task_id, now=self.now)
        after = GenerationTask.objects.get(pk=task_id)
        if before.is_over:
            assert answer == ("cancelled" if before.status == "cancelled" else "already_finished")
            assert before.newest_seq == after.newest_seq
        else:
            assert answer == ("requested" if held else "cancelled")
            assert (after.status == Status.CANCELLED) == (answer == "cancelled")

    @rule(task_id=tasks)
    def retry_is_asked(self, task_id: uuid.UUID) -> None:
        self.tick()
        task = GenerationTask.objects.get(pk=task_id)
        try:
            first = services.retry(task=task, key=None, now=self.now)
            second = services.retry(task=task, key=None, now=self.now)
        except TransitionRefused:
            assert task.status not in (Status.FAILED, Status.CANCELLED)
        else:
            assert first.task.pk == second.task.pk
