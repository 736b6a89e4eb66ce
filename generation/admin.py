"""A reading room for staff: tasks with their logs; actions go through services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from generation import services
from generation.choices import CHANGE_ALL, VIEW_ALL
from generation.exceptions import NotFound, TransitionRefused
from generation.models import (
    ApiToken,
    GeneratedImage,
    GenerationTask,
    ModelSlot,
    ModelState,
    ShareLink,
    TaskEvent,
    Worker,
)
from generation.selectors import clock


class ReadOnly:
    """No adding, changing or deleting by hand: rows are what happened."""

    def has_add_permission(self, *args: Any) -> bool:
        return False

    def has_change_permission(self, *args: Any) -> bool:
        return False

    def has_delete_permission(self, *args: Any) -> bool:
        return False


class PartOfTask(ReadOnly):
    """Shown to whoever may see the task."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(VIEW_ALL)


class EventInline(PartOfTask, admin.TabularInline):  # type: ignore[type-arg]
    model = TaskEvent
    extra = 0
    can_delete = False
    ordering = ("seq",)
    fields = ("seq", "at", "kind", "step", "progress", "attempt", "details")
    readonly_fields = fields

    @admin.display(description=_("time"))
    def at(self, event: TaskEvent) -> str:
        """To the millisecond: the log is read to find out what took long."""
        local = timezone.localtime(event.created_at)
        return local.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


class ImageInline(PartOfTask, admin.TabularInline):  # type: ignore[type-arg]
    model = GeneratedImage
    extra = 0
    can_delete = False
    fields = (
        "index",
        "width",
        "height",
        "seed",
        "bytes",
        "sha256",
        "demo",
        "favourite",
        "deleted_at",
        "file",
    )
    readonly_fields = fields


@admin.register(GenerationTask)
class GenerationTaskAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Staff who may view see everything; who may change may cancel and retry."""

    list_display = (
        "short_prompt",
        "submitted",
        "owner",
        "status",
        "step",
        "percent",
        "waited",
        "ran",
        "error_code",
    )
    list_filter = (
        "status",
        "step",
        "model",
        "error_code",
        "created",
        ("deleted_at", admin.EmptyFieldListFilter),
    )
    search_fields = ("=id", "prompt", "owner__username")
    list_select_related = ("owner",)
    show_full_result_count = False
    date_hierarchy = "created"
    ordering = ("-created", "-id")
    inlines = (ImageInline, EventInline)
    fieldsets = (
        (
            _("What was asked"),
            {
                "fields": (
                    ("owner", "created"),
                    "prompt",
                    "negative_prompt",
                    ("model", "width", "height", "n"),
                    ("steps", "guidance", "seed", "drawn_seed"),
                    ("parent", "request_key"),
                )
            },
        ),
        (
            _("Where it stands"),
            {
                "fields": (
                    ("status", "step", "progress", "basis"),
                    ("attempt", "counted_ends", "newest_seq"),
                    ("claimed_at", "cancel_requested_at", "finished_at"),
                    ("wait_seconds", "run_seconds"),
                    "deleted_at",
                    "error_code",
                    "error_detail",
                )
            },
        ),
        (_("Durations"), {"fields": ("expected", "measured"), "classes": ("collapse",)}),
    )
    actions = ("cancel_tasks", "retry_tasks")

    @admin.display(description=_("prompt"))
    def short_prompt(self, task: GenerationTask) -> str:
        return task.prompt if len(task.prompt) <= 60 else f"{task.prompt[:59]}…"

    @admin.display(description=_("submitted"), ordering="created")
    def submitted(self, task: GenerationTask) -> str:
        return timezone.localtime(task.created).strftime("%Y-%m-%d %H:%M:%S")

    @admin.display(description=_("percent"), ordering="progress")
    def percent(self, task: GenerationTask) -> str:
        return f"{task.progress:.0f}\N{NO-BREAK SPACE}%"

    @admin.display(description=_("in line"), ordering="wait_seconds")
    def waited(self, task: GenerationTask) -> str:
        return "–" if task.wait_seconds is None else f"{task.wait_seconds:.1f}\N{NO-BREAK SPACE}s"

    @admin.display(description=_("drawing"), ordering="run_seconds")
    def ran(self, task: GenerationTask) -> str:
        return f"{task.run_seconds:.1f}\N{NO-BREAK SPACE}s" if task.run_seconds else "–"

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(CHANGE_ALL)

    @admin.action(description=_("Cancel the selected tasks"), permissions=["act"])
    def cancel_tasks(self, request: HttpRequest, tasks: QuerySet[GenerationTask]) -> None:
        now = clock.now()
        answers = [services.request_cancel(task_id=task.pk, now=now) for task in tasks]
        asked = sum(answer != "already_finished" for answer in answers)
        self.report(request, asked, len(answers) - asked, cancelled_message)

    @admin.action(description=_("Retry the selected tasks"), permissions=["act"])
    def retry_tasks(self, request: HttpRequest, tasks: QuerySet[GenerationTask]) -> None:
        retried = refused = 0
        for task in tasks:
            try:
                services.retry(task=task, key=None, now=clock.now())
                retried += 1
            except (NotFound, TransitionRefused):
                refused += 1
        self.report(request, retried, refused, retried_message)

    def report(
        self, request: HttpRequest, done: int, refused: int, wording: Callable[[int], str]
    ) -> None:
        if done:
            self.message_user(request, wording(done), messages.SUCCESS)
        if refused:
            sentence = ngettext(
                "%d task was not in a state that allows this.",
                "%d tasks were not in a state that allows this.",
                refused,
            )
            self.message_user(request, sentence % refused, messages.WARNING)


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
    return ngettext("%d task was sent again.", "%d tasks were sent again.", count) % count


class Machinery(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """What workers wrote about themselves and the model server."""


@admin.register(Worker)
class WorkerAdmin(Machinery):
    list_display = ("host", "pid", "version", "state", "slots", "started", "last_seen")
    list_filter = ("state",)
    ordering = ("-last_seen",)


@admin.register(ModelState)
class ModelStateAdmin(Machinery):
    list_display = ("name", "ready", "loading", "replicas", "route", "error_code", "checked_at")
    ordering = ("name",)


@admin.register(ModelSlot)
class ModelSlotAdmin(Machinery):
    list_display = ("model", "number", "task", "attempt", "worker", "lease_until")
    list_select_related = ("task", "worker")
    ordering = ("model", "number")


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A token can be deleted here; it is made by `manage.py create_token`."""

    list_display = ("name", "owner", "created", "last_used")
    list_select_related = ("owner",)
    ordering = ("-created",)
    fields = ("name", "owner", "created", "last_used")
    readonly_fields = ("owner", "created", "last_used")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(ShareLink)
class ShareLinkAdmin(PartOfTask, admin.ModelAdmin):  # type: ignore[type-arg]
    """A link can be ended here; it is made on the page of its task."""

    list_display = ("task", "created", "expires_at")
    list_select_related = ("task",)
    ordering = ("-created",)
    fields = ("task", "created", "expires_at")

    def has_delete_permission(self, request: HttpRequest, obj: ShareLink | None = None) -> bool:
        may_delete = request.user.has_perm("generation.delete_sharelink")
        return may_delete and self.has_view_permission(request, obj)

    def delete_model(self, request: HttpRequest, link: ShareLink) -> None:
        services.end_link(link_id=link.pk)

    def delete_queryset(self, request: HttpRequest, links: QuerySet[ShareLink]) -> None:
        for link in links:
            services.end_link(link_id=link.pk)
