"""What is wrong now, by the rows and the disk. A cause alarms, not its effects too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from generation import selectors
from generation.choices import AlarmKind, TaskStatus, WorkerState
from generation.selectors import InstallationTotals
from generation.services import Alarm

NO_WORKER_HOLD = timedelta(seconds=60)
"""Besides the 15 s of silence: the only worker of an installation may be restarted."""

FAILURE_WINDOW = timedelta(minutes=15)
FEWEST_FAILURES = 5
"""Failures in the window below which a share says nothing."""

OF_WORKERS = frozenset({AlarmKind.MODEL_DOWN, AlarmKind.KEY_REFUSED, AlarmKind.OLDEST_WAIT})
"""Unknown without a worker: what the rows say of models is old, and tasks wait because of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The state of the installation. `free_bytes`: None if the disk does not answer.

    `ended`: tasks of FAILURE_WINDOW by status.
    """

    totals: InstallationTotals
    ended: dict[str, int]
    free_bytes: int | None

    def alarms(self) -> list[Alarm]:
        found = [*self.of_the_disk(), *self.of_failures()]
        if self.has_no_worker:
            return [*found, Alarm(kind=AlarmKind.NO_WORKER, hold=NO_WORKER_HOLD)]
        return [*found, *self.of_models(), *self.of_the_queue()]

    def unknown(self) -> frozenset[AlarmKind]:
        if self.has_no_worker:
            return OF_WORKERS
        if self.totals.is_paused:
            return frozenset({AlarmKind.MODEL_DOWN, AlarmKind.OLDEST_WAIT})
        return frozenset({AlarmKind.MODEL_DOWN} if self.totals.every_key_refused else ())

    @property
    def has_no_worker(self) -> bool:
        return not self.totals.workers[WorkerState.RUNNING] and not self.totals.is_paused

    def of_the_disk(self) -> Iterator[Alarm]:
        least, root = settings.ALERT_FREE_SPACE, settings.MEDIA_ROOT
        if not least:
            return
        if self.free_bytes is None:
            unread = format_lazy(_("{folder} does not answer"), folder=root)
            yield Alarm(kind=AlarmKind.DISK_FULL, detail=unread)
        elif self.free_bytes < least:
            detail = format_lazy(
                _("{free} MiB are free below {folder}; the limit is {least} MiB"),
                free=f"{self.free_bytes // 2**20:,}",
                folder=root,
                least=f"{least // 2**20:,}",
            )
            yield Alarm(kind=AlarmKind.DISK_FULL, detail=detail)

    def of_failures(self) -> Iterator[Alarm]:
        failed = self.ended.get(TaskStatus.FAILED, 0)
        total = failed + self.ended.get(TaskStatus.COMPLETED, 0)
        share = 100 * failed / total if total else 0.0
        most = settings.ALERT_FAILURES
        if most and failed >= FEWEST_FAILURES and share >= most:
            detail = format_lazy(
                _("{failed} of {total} tasks failed in {minutes} minutes"),
                failed=failed,
                total=total,
                minutes=int(FAILURE_WINDOW.total_seconds() // 60),
            )
            yield Alarm(kind=AlarmKind.FAILURE_RATE, detail=detail)

    def of_models(self) -> Iterator[Alarm]:
        if self.totals.key_refused:
            yield Alarm(kind=AlarmKind.KEY_REFUSED)
        if self.totals.every_key_refused:
            return
        if not settings.ALERT_MODEL_DOWN or self.totals.is_paused:
            return
        for name, model in self.totals.models.items():
            is_needed = name == settings.XINFERENCE_MODEL or model.queued or model.running
            if is_needed and not model.ready and not model.is_paused:
                yield Alarm(
                    kind=AlarmKind.MODEL_DOWN,
                    subject=name,
                    detail=model.error,
                    hold=settings.ALERT_MODEL_DOWN,
                )

    def of_the_queue(self) -> Iterator[Alarm]:
        most, wait = settings.ALERT_OLDEST_WAIT.total_seconds(), self.totals.oldest_wait
        if most and wait > most and not self.totals.is_paused:
            detail = format_lazy(
                _("The oldest queued task has waited for {minutes} minutes"),
                minutes=f"{wait / 60:.0f}",
            )
            yield Alarm(kind=AlarmKind.OLDEST_WAIT, detail=detail)


def read_conditions(free_bytes: int | None, totals: InstallationTotals) -> Conditions:
    since = totals.now - FAILURE_WINDOW
    ended = selectors.ended_since(since, models=list(totals.models))
    return Conditions(totals=totals, ended=ended, free_bytes=free_bytes)
