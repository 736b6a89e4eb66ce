"""The timeline of a task, for its page and the script of the page."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from generation import selectors
from generation.clock import clock
from generation.models import GenerationTask
from generation.selectors import TaskDetail
from generation.timeline_layout import timeline_data, verdict


@require_safe
@login_required
@never_cache
def timeline_fragment(request: HttpRequest, task_id: uuid.UUID) -> HttpResponse:
    """The changing parts of an unfinished task's page as HTML, for its script."""
    found = selectors.visible_task(task_id, request.user)
    detail = selectors.task_detail(found, now=clock.now())
    return render(request, "studio/_timeline_parts.html", timeline_context(request, found, detail))


def timeline_context(
    request: HttpRequest, task: GenerationTask, detail: TaskDetail
) -> dict[str, Any]:
    """Context of `_timeline_parts.html`."""
    state = detail.card["state"]
    return {
        "mine": task.owner_id == request.user.pk,
        "keys": [
            f"{task.pk}:{image['index']}" for image in state["images"] if "withheld" not in image
        ],
        "timeline": timeline_data(detail, task),
        "verdict": verdict(detail, task),
    }
