"""Filters of the task list; their choices are found without a query on the tasks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func, QuerySet
from django.db.models.lookups import Exact
from django.db.models.sql.compiler import SQLCompiler
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from generation.choice_labels import label
from generation.choices import UNFINISHED, TaskStatus
from generation.error_codes import ErrorCode
from generation.models import GenerationTask
from generation.selectors.gallery import model_options

TASK_ERRORS = list(ErrorCode)[list(ErrorCode).index(ErrorCode.MODEL_DOWN) :]
"""Errors with which a task can end; the earlier ones answer invalid requests."""

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
        return queryset if value is None else self.chosen(queryset, value)

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


class ErrorFilter(TaskFilter):
    title = _("error")
    parameter_name = "error_code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(code.value, short_error(code)) for code in TASK_ERRORS]


def short_error(code: str) -> str:
    """The first sentence of an error's label; the others are advice."""
    return re.split(r"[.;。；]", label("error", code), maxsplit=1)[0]


class TrashFilter(TaskFilter):
    title = _("moved to the trash")
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
