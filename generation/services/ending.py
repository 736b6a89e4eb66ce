"""How attempts and tasks end, and when the machine behind them counts as free."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db import transaction
from django.db.models import F

from generation import broadcast, selectors
from generation.choices import (
    COUNTED_INTERRUPTIONS,
    Basis,
    ErrorCode,
    EventKind,
    InterruptReason,
    Route,
    Step,
    TaskStatus,
)
from generation.exceptions import TransitionRefused
from generation.models import GenerationTask, ModelSlot, ModelState
from generation.services.transition import ANY_UNFINISHED, QUEUED, RUNNING, transition

MAX_COUNTED = 3
"""After so many attempts that went wrong by themselves a task is given up."""

MAX_ABORTED = 10
"""Somebody who stops the calls of a task on the model server ten times means it."""

LONGEST_PAUSE = timedelta(seconds=30)
AT_ONCE = COUNTED_INTERRUPTIONS | {InterruptReason.HANDED_BACK}
"""These go on with the next attempt as soon as there is a slot; the others wait a little."""

Answer = Literal["cancelled", "requested", "already_finished"]


def locked(task_id: uuid.UUID) -> GenerationTask:
    """The task as it is until this transaction ends: no cancel comes between look and write."""
    return GenerationTask.objects.select_for_update().get(pk=task_id)


def complete(
    *, task_id: uuid.UUID, attempt: int, measured: dict[str, float], now: datetime
) -> None:
    """Every picture is stored; refused once a cancel was requested or one is missing."""
    with transaction.atomic():
        task = locked(task_id)
        if task.images.count() != task.n:
            raise TransitionRefused
        end(
            task,
            EventKind.COMPLETED,
            TaskStatus.COMPLETED,
            now,
            fence=attempt,
            wanted=True,
            step=Step.COMPLETED,
            progress=100,
            basis=Basis.MEASURED,
            measured=measured,
        )


def fail(*, task_id: uuid.UUID, attempt: int, code: ErrorCode, detail: str, now: datetime) -> None:
    """The task ends at the step it is in; `detail` is for staff only."""
    with transaction.atomic():
        task = locked(task_id)
        # a cancel was requested: what went wrong on the way out does not matter, and
        # `cancelled` is written when the slot is settled
        if task.cancel_requested_at is None:
            failed(task, code, detail, now, fence=attempt)


def failed(
    task: GenerationTask, code: ErrorCode, detail: str, now: datetime, **changes: Any
) -> None:
    end(
        task,
        EventKind.FAILED,
        TaskStatus.FAILED,
        now,
        error_code=code,
        error_detail=detail[:4_000],
        **changes,
    )


def cancelled(task: GenerationTask, now: datetime, **changes: Any) -> None:
    end(task, EventKind.CANCELLED, TaskStatus.CANCELLED, now, **changes)


def end(
    task: GenerationTask,
    kind: EventKind,
    status: TaskStatus,
    now: datetime,
    *,
    sources: Any = RUNNING,
    fence: int | None = None,
    wanted: bool = False,
    **changes: Any,
) -> None:
    run = round(task.run_seconds + spent(task, now), 3)
    reason = {"code": changes["error_code"].value} if "error_code" in changes else {}
    wait = round(max(0.0, (now - task.created).total_seconds() - run), 3)
    transition(
        task_id=task.pk,
        kind=kind,
        sources=sources,
        fence=fence,
        wanted=wanted,
        now=now,
        details={"wait_seconds": wait, "run_seconds": run, **reason},
        status=status,
        finished_at=now,
        wait_seconds=wait,
        run_seconds=run,
        eta_seconds=None,
        **changes,
    )


def spent(task: GenerationTask, now: datetime) -> float:
    """Seconds of the attempt that is running, 0 if none is."""
    if task.status != TaskStatus.RUNNING or task.claimed_at is None:
        return 0.0
    return (now - task.claimed_at).total_seconds()


def interrupt(
    *,
    task_id: uuid.UUID,
    attempt: int,
    reason: InterruptReason,
    detail: str,
    now: datetime,
) -> None:
    """End an attempt: back to the line, or `failed` when its attempts are used up.

    The slot is not touched: settle_slot frees it when the call is known to be over, and only
    then may the task be claimed again or called cancelled.
    """
    with transaction.atomic():
        task = locked(task_id)
        counted = reason in COUNTED_INTERRUPTIONS
        if is_last(task, reason) and not task.cancel_requested_at:
            code = ErrorCode(reason.value)
            failed(
                task,
                code,
                detail,
                now,
                fence=attempt,
                counted_ends=F("counted_ends") + int(counted),
            )
            return
        stored = task.images.count()
        transition(
            task_id=task_id,
            kind=EventKind.INTERRUPTED,
            sources=RUNNING,
            fence=attempt,
            now=now,
            details={"reason": reason.value, "counted": counted, "stored": stored},
            status=TaskStatus.QUEUED,
            step=Step.PARSING,
            progress=round(99 * stored / task.n, 1),
            basis=Basis.MEASURED,
            eta_seconds=None,
            image=0,
            counted_ends=F("counted_ends") + int(counted),
            free_ends=F("free_ends") + int(reason not in AT_ONCE),
            not_before=None if reason in AT_ONCE else now + pause_after(task.free_ends),
            run_seconds=round(task.run_seconds + spent(task, now), 3),
            error_detail=detail[:4_000],
        )


def is_last(task: GenerationTask, reason: InterruptReason) -> bool:
    """Whether an end by `reason` uses up what the task may use up."""
    if reason in COUNTED_INTERRUPTIONS:
        return task.counted_ends + 1 >= MAX_COUNTED
    if reason != InterruptReason.CALL_ABORTED:
        return False
    return selectors.interruptions(task.pk, reason) + 1 >= MAX_ABORTED


def pause_after(ends: int) -> timedelta:
    """1, 2, 4 … 30 seconds: what ends at once, again and again, must not fill the log."""
    return min(LONGEST_PAUSE, timedelta(seconds=2 ** min(ends, 5)))


def settle_slot(*, slot_id: int, task_id: uuid.UUID, attempt: int, now: datetime) -> bool:
    """The call of this attempt is known to be over: free its slot.

    A cancel that waited for this becomes a fact. False if the slot was somebody else's already.
    """
    with transaction.atomic():
        # task before slot, as everywhere: two who take them crosswise see each other's old half
        task = locked(task_id)
        mine = ModelSlot.objects.filter(pk=slot_id, task=task_id, attempt=attempt)
        freed = mine.update(
            task=None, attempt=0, request_id=None, identity="", worker=None, lease_until=None
        )
        if not freed:
            return False
        if task.cancel_requested_at is not None and not task.is_over:
            cancelled(task, now, sources=ANY_UNFINISHED, fence=attempt)
        elif task.status == TaskStatus.RUNNING and task.attempt == attempt:
            # its run ended without a word: no task may stay running with nobody behind it
            interrupt(
                task_id=task_id,
                attempt=attempt,
                reason=InterruptReason.HANDED_BACK,
                detail="",
                now=now,
            )
        transaction.on_commit(broadcast.wake_workers, robust=True)
    return True


def finish_cancels(*, now: datetime) -> int:
    """Cancel what somebody wants cancelled and no machine works on; how many there were.

    settle_slot does this itself; here is the net below it.
    """
    wanted = GenerationTask.objects.waiting().filter(
        cancel_requested_at__isnull=False, slot__isnull=True
    )
    count = 0
    for key in wanted.values_list("pk", flat=True):
        with transaction.atomic():
            task = locked(key)
            if task.status == TaskStatus.QUEUED and not ModelSlot.objects.filter(task=key).exists():
                cancelled(task, now, sources=QUEUED)
                count += 1
    return count


def request_cancel(*, task_id: uuid.UUID, now: datetime) -> Answer:
    """Write down that the task is not wanted any more; the same answer however often."""
    with transaction.atomic():
        task = locked(task_id)
        if task.is_over:
            return "cancelled" if task.status == TaskStatus.CANCELLED else "already_finished"
        if task.cancel_requested_at is not None:
            return "requested"
        slot = ModelSlot.objects.filter(task=task).first()
        transition(
            task_id=task_id,
            kind=EventKind.CANCEL_REQUESTED,
            sources=ANY_UNFINISHED,
            wanted=True,
            now=now,
            details={"stops": stops(task, slot)},
            cancel_requested_at=now,
        )
        if slot is None and task.status == TaskStatus.QUEUED:
            cancelled(task, now, sources=QUEUED)
            return "cancelled"
        transaction.on_commit(broadcast.wake_workers, robust=True)
    return "requested"


def stops(task: GenerationTask, slot: ModelSlot | None) -> str:
    """When the machine will be free: now, after this denoising step, or after this picture."""
    if slot is None:
        return "now"
    route = ModelState.objects.filter(name=task.model).values_list("route", flat=True).first()
    return "picture" if route == Route.GENERATIONS else "step"
