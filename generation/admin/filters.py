"""Filters of the task list; what can be chosen is known without looking at the tasks."""

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
from generation.choices import UNFINISHED, ErrorCode, Step, TaskStatus
from generation.models import GenerationTask
from generation.selectors.gallery import known_models

TASK_ERRORS = list(ErrorCode)[list(ErrorCode).index(ErrorCode.MODEL_DOWN) :]
"""Errors with which a task can end; the ones before answer what somebody sent."""

Tasks = QuerySet[GenerationTask]
Choices = Iterable[tuple[str, Any]]


class Unindexed(Func):
    """The column, not to be looked up by an index of its own.

    SQLite would rather go through all tasks that ever failed than through the newest ones.
    """

    template = "%(expressions)s"
    arity = 1

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> tuple[str, Any]:
        return self.as_sql(compiler, connection, template="+%(expressions)s", **extra)


class TaskFilter(admin.SimpleListFilter):
    """Lets pass the tasks whose `field` has the chosen value."""

    field = ""

    def queryset(self, request: HttpRequest, queryset: Tasks) -> Tasks:
        value = self.value()
        return queryset if value is None else self.chosen(queryset, value)

    def chosen(self, tasks: Tasks, value: str) -> Tasks:
        return tasks.filter(Exact(Unindexed(self.field), value))


class StatusFilter(TaskFilter):
    title = _("status")
    parameter_name = "status__exact"
    field = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return TaskStatus.choices

    def chosen(self, tasks: Tasks, value: str) -> Tasks:
        return tasks.filter(status=value) if value in UNFINISHED else super().chosen(tasks, value)


class StepFilter(TaskFilter):
    title = _("step")
    parameter_name = "step__exact"
    field = "step"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return Step.choices


class ModelFilter(TaskFilter):
    title = _("model")
    parameter_name = "model"
    field = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(name, name) for name in known_models()]


class ErrorFilter(TaskFilter):
    title = _("error")
    parameter_name = "error_code"
    field = "error_code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(code.value, short_error(code)) for code in TASK_ERRORS]


def short_error(code: str) -> str:
    """The first sentence of what is told of an error; the others are advice."""
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
        # of its own: SQLite would rather read all tasks in order than sort those of the bin
        return tasks.filter(pk__in=in_trash.values("pk"))


SELECTIVE_VALUES = {
    StatusFilter.parameter_name: frozenset(UNFINISHED),
    TrashFilter.parameter_name: frozenset({"0"}),
}
"""Parameter → values that let only few pass, which an index finds however old they are."""
