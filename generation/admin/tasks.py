"""Tasks with their logs and pictures, and the actions "cancel" and "retry"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.profiles import full_name
from generation.admin.filters import (
    AttemptsFilter,
    ErrorFilter,
    ModelFilter,
    ReviewFilter,
    SlowFilter,
    StatusFilter,
    StepFilter,
    TrashFilter,
    short_error,
)
from generation.admin.inlines import SHOWN_EVENTS, EventInline, ImageInline, pictures_of
from generation.admin.mixins import ReadOnlyMixin
from generation.admin.period_filter import OwnerFilter, PeriodFilter, SinceFilter, read_search
from generation.admin.saved_view_pages import SavedViewMixin
from generation.admin.task_actions import TaskActionMixin
from generation.admin.task_export import ExportMixin, chosen_filters
from generation.admin.task_page import TaskPageMixin
from generation.choice_labels import label
from generation.choices import ReviewState, Step, TaskStatus
from generation.models import GeneratedImage, GenerationTask, ModelSlot

LIST = "admin:generation_generationtask_changelist"
PAGE = "admin:generation_generationtask_change"
SHORT = 60
FOUND_BY_REVIEW = (ReviewState.FLAGGED, ReviewState.HIDDEN)
MAX_CHILDREN = 20
MAX_LOG_LINKS = 200
"""Links to parts of one log; no log that this version writes needs more."""


@admin.register(GenerationTask)
class GenerationTaskAdmin(
    TaskPageMixin,
    TaskActionMixin,
    SavedViewMixin,
    ExportMixin,
    ReadOnlyMixin,
    admin.ModelAdmin,  # type: ignore[type-arg]
):
    """Shows everything with the permission VIEW_ALL; the actions need CHANGE_ALL."""

    list_display = (
        "thumbnail",
        "short_prompt",
        "submitted",
        "owner_tasks",
        "state",
        "waited",
        "ran",
    )
    # the period first: the other filters and the search read the tasks in it
    list_filter = (
        PeriodFilter,
        *(StatusFilter, ReviewFilter, ModelFilter, StepFilter, ErrorFilter),
        *(AttemptsFilter, SlowFilter, TrashFilter, OwnerFilter, SinceFilter),
    )
    list_display_links = ("thumbnail", "short_prompt")
    search_fields = ("search_text__contains",)
    search_help_text = _(
        "A task id, an account name, or words of the prompt. Put words in quotes if they "
        "are not an account name."
    )
    list_select_related = ("owner__profile",)
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-created", "-id")
    sortable_by = ("submitted", "waited", "ran")
    inlines = (ImageInline, EventInline)
    fieldsets = (
        (None, {"fields": ("pictures",)}),
        (
            _("Request"),
            {
                "fields": (
                    ("owner_tasks", "created"),
                    "prompt",
                    "negative_prompt",
                    ("model", "width", "height", "image_count"),
                    ("steps", "guidance", "requested_seed", "seed"),
                    ("parent", "made_into", "request_key"),
                )
            },
        ),
        (
            _("Current state"),
            {
                "fields": (
                    ("status", "step", "progress", "basis"),
                    ("attempt", "failed_attempts", "newest_seq", "rest_of_log"),
                    ("claimed_at", "cancel_requested_at", "finished_at"),
                    ("held_slot", "submitted_with"),
                    ("wait_seconds", "run_seconds"),
                    "deleted_at",
                    "error",
                    "error_detail",
                )
            },
        ),
        (
            _("Durations"),
            {"fields": ("expected_steps", "measured_steps"), "classes": ("collapse",)},
        ),
    )
    readonly_fields = (
        *("pictures", "rest_of_log", "owner_tasks", "made_into", "error", "held_slot"),
        "submitted_with",
        *("expected_steps", "measured_steps"),
    )
    actions = ("cancel_tasks", "retry_tasks", "return_tasks")

    @admin.display(description=_("pictures"))
    def pictures(self, task: GenerationTask) -> str:
        return pictures_of(task)

    def view_on_site(self, task: GenerationTask) -> str:
        return reverse("task", args=[task.pk])

    @admin.display(description=_("owner"))
    def owner_tasks(self, task: GenerationTask) -> str:
        """A link to the owner's tasks; not to the account, which needs another permission."""
        query = urlencode({"q": task.owner.get_username()})
        return format_html('<a href="{}?{}">{}</a>', reverse(LIST), query, full_name(task.owner))

    @admin.display(description=_("led to"))
    def made_into(self, task: GenerationTask) -> str:
        """Retries and variations, oldest first."""
        children = task.retries.order_by("created", "pk")[:MAX_CHILDREN]
        links = ((reverse(PAGE, args=[each.pk]), short(each.prompt)) for each in children)
        return format_html_join(" · ", '<a href="{}">{}</a>', links) or "–"

    @admin.display(description=_("error"))
    def error(self, task: GenerationTask) -> str:
        """The error without its advice."""
        return short_error(task.error_code) or "–"

    @admin.display(description=_("status"), ordering="status")
    def state(self, task: GenerationTask) -> str:
        """The status; for unfinished, failed and cancelled tasks also step, percent and error.

        Also what reviewers found in the first picture.
        """
        lines = [str(TaskStatus(task.status).label)]
        if task.status not in (TaskStatus.QUEUED, TaskStatus.COMPLETED):
            reached = f"{Step(task.step).label}, {task.progress:.0f}\N{NO-BREAK SPACE}%"
            lines += [reached, short_error(task.error_code)]
        image: GeneratedImage | None = getattr(task, "first_picture", None)
        if image is not None and image.review_state in FOUND_BY_REVIEW:
            lines.append(str(ReviewState(image.review_state).label))
        return format_html_join(mark_safe("<br>"), "{}", ((each,) for each in lines if each))

    @admin.display(description=_("slot"))
    def held_slot(self, task: GenerationTask) -> str:
        """The slot with its worker, the id of its call and its lease."""
        slot = ModelSlot.objects.select_related("worker").filter(task=task).first()
        if slot is None:
            return "–"
        lease = "" if slot.lease_until is None else timezone.localtime(slot.lease_until)
        parts = (
            slot,
            slot.worker,
            slot.request_id,
            lease and f"{_('lease until')} {lease:%H:%M:%S}",
        )
        return " · ".join(str(part) for part in parts if part)

    @admin.display(description=_("request id"))
    def submitted_with(self, task: GenerationTask) -> str:
        """Of the request that submitted it; log lines of the task carry it."""
        return task.correlation_id or "–"

    @admin.display(description=_("long log"))
    def rest_of_log(self, task: GenerationTask) -> str:
        """Links to the parts of a log that is too long for one page."""
        if task.newest_seq <= SHOWN_EVENTS:
            return "–"
        parts = range(0, task.newest_seq, SHOWN_EVENTS)
        links = ((f"?after={after}#events-group", after + 1) for after in parts[:MAX_LOG_LINKS])
        text = format_html_join(" ", '<a href="{}">{}…</a>', links)
        return format_html("{} {}", _("Events from"), text)

    @admin.display(description=_("picture"))
    def thumbnail(self, task: GenerationTask) -> str:
        """The first picture; also a hidden one, and one in the trash."""
        image: GeneratedImage | None = getattr(task, "first_picture", None)
        if image is None:
            return format_html('<span class="no-picture">{}</span>', _("No picture"))
        tag = '<img src="{}" alt="{}" width="56" height="56" loading="lazy" decoding="async">'
        return format_html(tag, image.data["thumbnail_url"], short(task.prompt) or "–")

    @admin.display(description=_("prompt"))
    def short_prompt(self, task: GenerationTask) -> str:
        return short(task.prompt) or gettext("Prompt removed")

    @admin.display(description=_("submitted"), ordering="created")
    def submitted(self, task: GenerationTask) -> str:
        return timezone.localtime(task.created).strftime("%Y-%m-%d %H:%M:%S")

    @admin.display(description=_("in queue"), ordering="wait_seconds")
    def waited(self, task: GenerationTask) -> str:
        return "–" if task.wait_seconds is None else f"{task.wait_seconds:.1f}\N{NO-BREAK SPACE}s"

    @admin.display(description=_("drawing"), ordering="run_seconds")
    def ran(self, task: GenerationTask) -> str:
        return f"{task.run_seconds:.1f}\N{NO-BREAK SPACE}s" if task.run_seconds else "–"

    @admin.display(description=_("expected seconds per step"))
    def expected_steps(self, task: GenerationTask) -> str:
        return steps_text(task.expected_durations)

    @admin.display(description=_("measured seconds per step"))
    def measured_steps(self, task: GenerationTask) -> str:
        return steps_text(task.measured_durations)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; its form also sends the filters that were not chosen, which are left out."""
        query = chosen_filters(request)
        if request.method == "GET" and query != request.GET:
            return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")
        request.GET = query  # type: ignore[assignment]
        context = {**self.view_links(request), **(extra_context or {})}
        return super().changelist_view(request, context)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[GenerationTask], search_term: str
    ) -> tuple[QuerySet[GenerationTask], bool]:
        """Ids and words; the period has only tasks of the owner that the search names."""
        search = read_search(search_term)
        if search.ids:
            queryset = queryset.filter(pk__in=search.ids)
        return super().get_search_results(request, queryset, search.words)


def steps_text(durations: Mapping[str, float]) -> str:
    """Labels of the steps with their seconds, separated by " · "."""
    parts = (f"{label('step', step)} {seconds:.2f}" for step, seconds in durations.items())
    return " · ".join(parts) or "–"


def short(prompt: str) -> str:
    return prompt if len(prompt) <= SHORT else f"{prompt[: SHORT - 1]}…"
