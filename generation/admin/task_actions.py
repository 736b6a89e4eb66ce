"""What staff do to tasks: cancel, retry, return to the queue; each is in the audit log."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts.client_address import client_address
from generation import services
from generation.choices import AuditAction
from generation.clock import clock
from generation.exceptions import AccountLeaving, LimitReached, NotFound, TransitionRefused
from generation.models import GenerationTask
from generation.staff_permissions import CHANGE_ALL

REFUSALS = (AccountLeaving, NotFound, TransitionRefused, GenerationTask.DoesNotExist)


@dataclass(frozen=True, slots=True)
class TaskAction:
    """`carry_out` returns whether the task's status allows it; `message` says what was done."""

    audited: AuditAction
    carry_out: Callable[[GenerationTask, datetime], bool]
    message: Callable[[int], str]


class TaskActionMixin:
    """The actions of the list, and their addresses for the page of one task."""

    def get_urls(self: Any) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.act_on_task))
        name = "generation_generationtask_act"
        return [path("<uuid:task_id>/act/<str:act>/", view, name=name), *super().get_urls()]  # type: ignore[misc]

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(CHANGE_ALL)

    def act_on_task(self: Any, request: HttpRequest, task_id: Any, act: str) -> HttpResponse:
        """One action on one task, from its page."""
        if not (self.has_act_permission(request) and self.has_view_permission(request)):
            raise PermissionDenied
        task = GenerationTask.objects.filter(pk=task_id).first()
        if act not in ACTIONS or task is None:
            raise Http404
        self.carry_out(request, ACTIONS[act], [task])
        return HttpResponseRedirect(
            reverse("admin:generation_generationtask_change", args=[task.pk])
        )

    @admin.action(description=_("Cancel the selected tasks"), permissions=["act"])
    def cancel_tasks(self, request: HttpRequest, tasks: QuerySet[GenerationTask]) -> None:
        self.carry_out(request, ACTIONS["cancel"], tasks)

    @admin.action(description=_("Retry the selected tasks"), permissions=["act"])
    def retry_tasks(self, request: HttpRequest, tasks: QuerySet[GenerationTask]) -> None:
        self.carry_out(request, ACTIONS["retry"], tasks)

    @admin.action(description=_("Return the selected tasks to the queue"), permissions=["act"])
    def return_tasks(self, request: HttpRequest, tasks: QuerySet[GenerationTask]) -> None:
        self.carry_out(request, ACTIONS["hand-back"], tasks)

    def carry_out(
        self: Any, request: HttpRequest, action: TaskAction, tasks: Iterable[GenerationTask]
    ) -> None:
        """Act on each task for itself, and say what became of them."""
        done = refused = limited = 0
        for task in tasks:
            try:
                applied = act_and_note(request, action, task)
            except REFUSALS:
                applied = False
            except LimitReached:
                limited += 1
                continue
            done, refused = done + applied, refused + (not applied)
        if done:
            self.message_user(request, action.message(done), messages.SUCCESS)
        if refused:
            sentence = ngettext(
                "%d task was skipped: its status does not allow this.",
                "%d tasks were skipped: their status does not allow this.",
                refused,
            )
            self.message_user(request, sentence % refused, messages.WARNING)
        if limited:
            sentence = ngettext(
                "%d task was skipped: its owner has reached a limit.",
                "%d tasks were skipped: their owners have reached a limit.",
                limited,
            )
            self.message_user(request, sentence % limited, messages.WARNING)


def act_and_note(request: HttpRequest, action: TaskAction, task: GenerationTask) -> bool:
    now = clock.now()
    with transaction.atomic():
        if not action.carry_out(task, now):
            return False
        services.record_action(
            actor=cast("User", request.user),
            action=action.audited,
            now=now,
            address=client_address(request),
            task=task.pk,
            owner=task.owner,
        )
    return True


def cancel(task: GenerationTask, now: datetime) -> bool:
    return services.request_cancel(task_id=task.pk, now=now) != "already_finished"


def retry(task: GenerationTask, now: datetime) -> bool:
    services.retry(task=task, key=None, now=now)
    return True


def return_to_queue(task: GenerationTask, now: datetime) -> bool:
    return services.hand_back(task_id=task.pk, now=now)


def cancelled_message(count: int) -> str:
    return (
        ngettext(
            "Cancellation of %d task was requested.",
            "Cancellation of %d tasks was requested.",
            count,
        )
        % count
    )


def retried_message(count: int) -> str:
    return ngettext("%d task was submitted again.", "%d tasks were submitted again.", count) % count


def returned_message(count: int) -> str:
    return (
        ngettext(
            "%d task was returned to the queue. It begins again when its call has ended.",
            "%d tasks were returned to the queue. They begin again when their calls have ended.",
            count,
        )
        % count
    )


ACTIONS = {
    "cancel": TaskAction(AuditAction.CANCELLED, cancel, cancelled_message),
    "retry": TaskAction(AuditAction.RETRIED, retry, retried_message),
    "hand-back": TaskAction(AuditAction.HANDED_BACK, return_to_queue, returned_message),
}
