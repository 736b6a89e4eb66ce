"""The page of one task for staff: where its time went, related tasks, and what can be done."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from generation import selectors
from generation.choices import TaskStatus
from generation.clock import clock
from generation.models import GenerationTask
from generation.timeline_layout import timeline_data, verdict

ACTIONS_OF = {
    TaskStatus.QUEUED: [("cancel", _("Cancel"))],
    TaskStatus.RUNNING: [("cancel", _("Cancel")), ("hand-back", _("Return to the queue"))],
    TaskStatus.FAILED: [("retry", _("Retry"))],
    TaskStatus.CANCELLED: [("retry", _("Retry"))],
}
"""{status: [(name in the address, label)]}."""


class TaskPageMixin:
    """The context of the page, and the address that tells its script what is new."""

    def get_urls(self: Any) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_GET(self.newest))
        name = "generation_generationtask_newest"
        return [path("<uuid:task_id>/newest/", view, name=name), *super().get_urls()]  # type: ignore[misc]

    def newest(self: Any, request: HttpRequest, task_id: uuid.UUID) -> HttpResponse:
        """{"seq": the newest event, "over": whether the task has ended}."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        task = GenerationTask.objects.filter(pk=task_id).first()
        if task is None:
            raise Http404
        answer = JsonResponse({"seq": task.newest_seq, "over": task.is_over})
        answer["Cache-Control"] = "no-store"
        return answer

    def render_change_form(
        self: Any, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        task: GenerationTask = kwargs["obj"]
        detail = selectors.task_detail(task, now=clock.now())
        is_stopping = task.cancel_requested_at is not None and not task.is_over
        may_act = self.has_act_permission(request) and not is_stopping
        context |= {
            "task": task,
            "timeline": timeline_data(detail, task),
            "verdict": verdict(detail, task),
            "related": selectors.related_to(task),
            "acts": ACTIONS_OF.get(TaskStatus(task.status), []) if may_act else [],
        }
        page: HttpResponse = super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]
        return page
