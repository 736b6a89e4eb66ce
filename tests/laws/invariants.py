"""The laws as invariants of rows and logs, checked after every call."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from django.db import connection
from hypothesis.stateful import RuleBasedStateMachine, invariant

from generation.choices import TERMINAL, EventKind, LimitKind, TaskStatus
from generation.models import GeneratedImage, GenerationTask, LimitUsage, ModelSlot, TaskEvent
from generation.protocol import empty_state, fold
from generation.services.retry_policy import MAX_FAILED_ATTEMPTS

Fingerprint = tuple[Any, ...]

FINGERPRINTS = """
select task.id, task.status, task.newest_seq, task.attempt, task.error_code,
  (select count(*) from generation_generatedimage image where image.task_id = task.id), slot.id
from generation_generationtask task left join generation_modelslot slot on slot.task_id = task.id
"""

ENDS = (EventKind.COMPLETED, EventKind.FAILED, EventKind.CANCELLED)


class Invariants(RuleBasedStateMachine):
    """Checks a task again when its log, status or slot has changed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[Any, Fingerprint] = {}
        self.ended: dict[Any, Fingerprint] = {}

    @invariant()
    def every_task_keeps_the_laws(self) -> None:
        changed = False
        for key, fingerprint in fingerprints():
            if self.seen.get(key) == fingerprint:
                continue
            self.seen[key] = fingerprint
            changed = True
            task = GenerationTask.objects.get(pk=key)
            log = list(TaskEvent.objects.filter(task=task).order_by("seq"))
            the_log_has_no_gap_and_the_row_is_its_fold(task, log)
            the_slot_fits_the_task(task, ModelSlot.objects.filter(task=task).first())
            the_end_is_the_end(task, log)
            nothing_is_taken_after_a_cancel_request(log)
            attempts_are_counted(task, log)
            the_percent_never_goes_back_within_an_attempt(log)
            the_task_took_what_it_drew(task)
        if changed:
            what_is_used_is_what_tasks_took()

    @invariant()
    def a_finished_task_never_changes(self) -> None:
        for key, (status, *state, _slot) in fingerprints():
            if status in TERMINAL:
                assert self.ended.setdefault(key, (status, *state)) == (status, *state)


def fingerprints() -> list[tuple[Any, Fingerprint]]:
    """(key, columns) of every task; read after every call, so without the ORM's compiler."""
    with connection.cursor() as cursor:
        cursor.execute(FINGERPRINTS)
        return [(key, tuple(columns)) for key, *columns in cursor.fetchall()]


def the_log_has_no_gap_and_the_row_is_its_fold(task: GenerationTask, log: list[TaskEvent]) -> None:
    assert [event.seq for event in log] == list(range(1, task.newest_seq + 1))
    state = fold(empty_state(str(task.pk)), (json.loads(event.frame) for event in log))
    assert state["status"] == task.status
    assert state["step"] == task.step
    assert state["attempt"] == task.attempt
    assert state["progress"] == round(task.progress, 1)
    assert (state["cancel_requested"] is not None) == bool(task.cancel_requested_at)
    stored = list(task.images.order_by("index").values_list("index", flat=True))
    assert [image["index"] for image in state["images"]] == stored


def the_slot_fits_the_task(task: GenerationTask, slot: ModelSlot | None) -> None:
    """That a slot has one task and a task one slot is kept by the database."""
    if slot is not None:
        assert (slot.attempt, slot.model) == (task.attempt, task.model)
    if task.status == TaskStatus.RUNNING:
        assert slot is not None
    if task.status == TaskStatus.CANCELLED:
        assert slot is None


def the_end_is_the_end(task: GenerationTask, log: list[TaskEvent]) -> None:
    ends = [event.kind for event in log if event.kind in ENDS]
    assert ends == ([task.status] if task.status in TERMINAL else [])
    assert not ends or log[-1].kind == ends[0]
    if task.status == TaskStatus.COMPLETED:
        assert task.images.count() == task.image_count


def nothing_is_taken_after_a_cancel_request(log: list[TaskEvent]) -> None:
    kinds = [event.kind for event in log]
    if EventKind.CANCEL_REQUESTED in kinds:
        later = set(kinds[kinds.index(EventKind.CANCEL_REQUESTED) + 1 :])
        refused = {"claimed", "image_stored", "completed", "failed", "cancel_requested"}
        assert not later & refused


def attempts_are_counted(task: GenerationTask, log: list[TaskEvent]) -> None:
    claimed = [event.attempt for event in log if event.kind == EventKind.CLAIMED]
    assert claimed == list(range(1, task.attempt + 1))
    counted = [event for event in log if event.details.get("counted")]
    used_up = task.status == TaskStatus.FAILED and task.failed_attempts == MAX_FAILED_ATTEMPTS
    assert task.failed_attempts == len(counted) + used_up
    assert task.failed_attempts < MAX_FAILED_ATTEMPTS or used_up or task.cancel_requested_at


def the_percent_never_goes_back_within_an_attempt(log: list[TaskEvent]) -> None:
    highest: dict[int, float] = {}
    for event in log:
        if event.kind == EventKind.INTERRUPTED:
            # the attempt is over; what follows stands at what is stored
            highest.pop(event.attempt, None)
            continue
        assert event.progress >= highest.get(event.attempt, 0.0)
        highest[event.attempt] = event.progress
        assert (event.progress == 100) == (event.kind == EventKind.COMPLETED)


def the_task_took_what_it_drew(task: GenerationTask) -> None:
    """Charged at its submission, less what its end gave back."""
    images = 0 if task.status == TaskStatus.FAILED else task.image_count
    if task.status == TaskStatus.CANCELLED:
        images = task.images.count()
    assert task.charged_images == images
    assert task.charged_effort == images * task.width * task.height * task.steps


def what_is_used_is_what_tasks_took() -> None:
    took: Counter[tuple[int, str]] = Counter()
    charges = ("owner_id", "charged_images", "charged_effort")
    for owner, images, effort in GenerationTask.objects.values_list(*charges):
        took[owner, LimitKind.PICTURES.value] += images
        took[owner, LimitKind.EFFORT.value] += effort
    for owner, size in GeneratedImage.objects.values_list("task__owner", "bytes"):
        took[owner, LimitKind.STORAGE.value] += size
    used: Counter[tuple[int, str]] = Counter()
    for owner, kind, amount in LimitUsage.objects.values_list("owner_id", "kind", "used"):
        used[owner, kind] += amount
    assert +used == +took
