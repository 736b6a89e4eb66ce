"""The list of tasks: Django's list, with the first picture of each task."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest

from generation.admin.period_filter import PeriodFilter
from generation.models import GeneratedImage, GenerationTask


class TaskChangeList(ChangeList):
    """`period` stands above the tasks; the filters are in one form with the search."""

    period: PeriodFilter

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: Any = None
    ) -> QuerySet[GenerationTask]:
        tasks: QuerySet[GenerationTask] = super().get_queryset(request, exclude_parameters)
        period, *self.filter_specs = self.filter_specs
        self.period = cast("PeriodFilter", period)
        return tasks

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.result_count:
            # the count has scanned the whole period: do not scan it again
            self.result_list = self.queryset.none()
        self.result_list = with_first_pictures(list(self.result_list))


class WholeList(TaskChangeList):
    """The filtered tasks without a page of them."""

    def get_results(self, request: HttpRequest) -> None:
        self.result_count = 0
        self.result_list = self.queryset.none()


def with_first_pictures(tasks: list[GenerationTask]) -> list[GenerationTask]:
    """The tasks, each with its first picture as `first_picture`, whatever became of that."""
    rows = GeneratedImage.objects.filter(task__in=[task.pk for task in tasks])
    first: dict[Any, GeneratedImage] = {}
    for image in rows.order_by("task", "index"):
        first.setdefault(image.task_id, image)
    for task in tasks:
        task.first_picture = first.get(task.pk)  # type: ignore[attr-defined]
    return tasks
