"""Filters of the task list; their choices are found without a query on the tasks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Exists, F, FloatField, Func, OuterRef, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce
from django.db.models.lookups import Exact
from django.db.models.sql.compiler import SQLCompiler
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from generation.choice_labels import label
from generation.choices import UNFINISHED, ReviewState, Step, TaskStatus
from generation.duration_prior import PRIOR
from generation.error_codes import ErrorCode
from generation.models import GeneratedImage, GenerationTask
from generation.selectors.gallery import model_options

TASK_ERRORS = list(ErrorCode)[list(ErrorCode).index(ErrorCode.MODEL_DOWN) :]
"""Errors with which a task can end; the earlier ones answer invalid requests."""

SLOW_FACTOR = 2.0
NOTICEABLE = 2.0
"""Seconds; a task that took so much longer than expected may be slow."""
LONG_WAIT = 60.0
"""Seconds in the queue."""

Tasks = QuerySet[GenerationTask]
Choices = Iterable[tuple[str, Any]]


class WithoutIndex(Func):
    """The column without its index.

    SQLite would use the index and read all tasks that ever failed, not just the newest tasks.
    """

    template = "%(expressions)s"
    arity = 1

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> tuple[str, Any]:
        return self.as_sql(compiler, connection, template="+%(expressions)s", **extra)


class TaskFilter(admin.SimpleListFilter):
    """Selects the tasks whose field `parameter_name` has the chosen value."""

    parameter_name: str

    def queryset(self, request: HttpRequest, queryset: Tasks) -> Tasks:
        value = self.value()
        return self.chosen(queryset, value) if value else queryset

    def chosen(self, tasks: Tasks, value: str) -> Tasks:
        return tasks.filter(**{self.parameter_name: value})


class StatusFilter(TaskFilter):
    title = _("status")
    parameter_name = "status__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return TaskStatus.choices

    def chosen(self, tasks: Tasks, value: str) -> Tasks:
        if value in UNFINISHED:
            return super().chosen(tasks, value)
        return tasks.filter(Exact(WithoutIndex("status"), value))


class ModelFilter(TaskFilter):
    title = _("model")
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(name, name) for name in model_options()]


class StepFilter(TaskFilter):
    """With the status "failed": the step of the failure."""

    title = _("step reached")
    parameter_name = "step__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return Step.choices


class ReviewFilter(TaskFilter):
    title = _("review")
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return ReviewState.choices

    def chosen(self, tasks: Tasks, value: str) -> Tasks:
        pictures = GeneratedImage.objects.filter(task=OuterRef("pk"), review_state=value)
        return tasks.filter(Exists(pictures))


class AttemptsFilter(TaskFilter):
    title = _("attempts")
    parameter_name = "attempts"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("several", _("More than one"))]

    def chosen(self, tasks: Tasks, value: str) -> Tasks:
        return tasks.filter(attempt__gt=1)


class SlowFilter(TaskFilter):
    title = _("slow")
    parameter_name = "slow"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [
            ("run", _("Drew over twice as long as expected")),
            ("wait", _("Waited over a minute")),
        ]

    def chosen(self, tasks: Tasks, value: str) -> Tasks:
        if value == "wait":
            return tasks.filter(wait_seconds__gt=LONG_WAIT)
        return tasks.filter(run_seconds__gt=SLOW_FACTOR * expected_run() + NOTICEABLE)


def expected_run() -> Combinable:
    """The expected seconds of a task's whole run, as `duration_prior.task_seconds` adds them."""
    of_step = {
        step: Coalesce(Cast(KeyTextTransform(step, "expected_durations"), FloatField()), 0.0)
        for step in PRIOR
    }
    loading = of_step.pop(Step.LOADING.value)
    per_picture: Combinable = sum(of_step.values(), Value(0.0))
    return loading + F("image_count") * per_picture


class ErrorFilter(TaskFilter):
    title = _("error")
    parameter_name = "error_code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(code.value, short_error(code)) for code in TASK_ERRORS]


def short_error(code: str) -> str:
    """The first sentence of an error's label; the others are advice."""
    return re.split(r"[.;。；]", label("error", code), maxsplit=1)[0]


class TrashFilter(TaskFilter):
    title = _("in the trash")
    parameter_name = "deleted_at__isempty"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("0", _("Yes")), ("1", _("No"))]

    def chosen(self, tasks: Tasks, value: str) -> Tasks:
        if value == "1":
            return tasks.filter(deleted_at__isnull=True)
        in_trash = GenerationTask.objects.filter(deleted_at__isnull=False)
        # a subquery: otherwise SQLite reads all tasks in order instead of sorting the trash
        return tasks.filter(pk__in=in_trash.values("pk"))


SELECTIVE_VALUES = {
    StatusFilter.parameter_name: frozenset(UNFINISHED),
    TrashFilter.parameter_name: frozenset({"0"}),
}
"""{parameter: values that match few tasks, found by an index regardless of age}."""
