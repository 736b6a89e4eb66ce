"""Tasks with their logs and pictures: what staff see of them, and the two things they can do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from generation import selectors, services
from generation.admin.reading import PartOfTask, ReadOnly
from generation.admin.sieves import BinSieve, ErrorSieve, ModelSieve, StatusSieve, StepSieve
from generation.admin.task_list import TaskList
from generation.choices import CHANGE_ALL
from generation.exceptions import NotFound, TransitionRefused
from generation.models import GeneratedImage, GenerationTask, TaskEvent
from generation.selectors import clock

FIRST_EVENTS, NEWEST_EVENTS = 20, 80
SHOWN_EVENTS = FIRST_EVENTS + NEWEST_EVENTS
"""Fewer than on a person's page: each row is a form, which takes 2 ms and 2 kB."""

MOST_SEQ = 2**31 - 1 - SHOWN_EVENTS
MOST_PARTS = 200
"""Links to parts of one log; no log that is written here has more."""


def after_of(request: HttpRequest) -> int | None:
    """Behind which event the log is shown; None: its ends."""
    try:
        return min(max(0, int(request.GET["after"])), MOST_SEQ)
    except (KeyError, ValueError):
        return None


class EventInline(PartOfTask, admin.TabularInline):  # type: ignore[type-arg]
    model = TaskEvent
    extra = 0
    can_delete = False
    ordering = ("seq",)
    fields = ("seq", "at", "kind", "step", "progress", "attempt", "details")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaskEvent]:
        """Of a long log the first and the newest events, or with `after` those behind it."""
        rows: QuerySet[TaskEvent] = super().get_queryset(request)
        match = request.resolver_match
        after = after_of(request)
        if after is not None:
            return rows.filter(seq__gt=after, seq__lte=after + SHOWN_EVENTS)
        task = (
            GenerationTask.objects.filter(pk=match.kwargs["object_id"]).first() if match else None
        )
        if task is None:
            return rows.none()
        ends = selectors.shown_events(task, first=FIRST_EVENTS, newest=NEWEST_EVENTS)
        return rows.filter(ends)

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
    list_filter = (StatusSieve, StepSieve, ModelSieve, ErrorSieve, BinSieve)
    search_fields = ("id", "owner__username", "prompt")
    search_help_text = _(
        "A task's id, the name of an account, words of the prompt. "
        "In quotes: words that are not meant as a name."
    )
    list_select_related = ("owner",)
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-created", "-id")
    sortable_by = ("submitted", "percent", "waited", "ran")
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
                    ("attempt", "counted_ends", "newest_seq", "rest_of_log"),
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
    readonly_fields = ("rest_of_log",)
    actions = ("cancel_tasks", "retry_tasks")

    @admin.display(description=_("long log"))
    def rest_of_log(self, task: GenerationTask) -> str:
        """A link to the next part of a log that is too long for one page."""
        if task.newest_seq <= SHOWN_EVENTS:
            return "–"
        parts = range(0, task.newest_seq, SHOWN_EVENTS)
        links = ((f"?after={after}#events-group", after + 1) for after in parts[:MOST_PARTS])
        text = format_html_join(" ", '<a href="{}">{}…</a>', links)
        return format_html("{} {}", _("Events from"), text)

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

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[TaskList]:
        return TaskList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[GenerationTask], search_term: str
    ) -> tuple[QuerySet[GenerationTask], bool]:
        """The list has searched already: what is meant decides how far it looks."""
        return queryset, False

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
