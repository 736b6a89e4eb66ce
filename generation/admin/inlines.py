"""The parts of a task's page: its pictures and its event log."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from generation import selectors
from generation.admin.mixins import TaskInlineMixin
from generation.choice_labels import label
from generation.choices import EventKind, ReviewState, WordAction
from generation.models import GeneratedImage, GenerationTask, TaskEvent

FIRST_EVENTS, NEWEST_EVENTS = 20, 80
SHOWN_EVENTS = FIRST_EVENTS + NEWEST_EVENTS
"""Fewer than on the task page of the site: each row is a form, which costs 2 ms and 2 kB."""

MAX_SEQ = 2**31 - 1 - SHOWN_EVENTS


def after_of(request: HttpRequest) -> int | None:
    """The seq after which the log is shown; None: show its first and newest events."""
    try:
        return min(max(0, int(request.GET["after"])), MAX_SEQ)
    except (KeyError, ValueError):
        return None


class EventInline(TaskInlineMixin, admin.TabularInline):  # type: ignore[type-arg]
    model = TaskEvent
    extra = 0
    can_delete = False
    ordering = ("seq",)
    fields = ("seq", "at", "kind", "step", "percent", "attempt", "details_text")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaskEvent]:
        """The first and newest events of a long log; with `after` the events after it."""
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
        return rows.filter(selectors.shown_events(task, first=FIRST_EVENTS, newest=NEWEST_EVENTS))

    @admin.display(description=_("time"))
    def at(self, event: TaskEvent) -> str:
        """Time with milliseconds, to show which step was slow."""
        local = timezone.localtime(event.created_at)
        return local.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]

    @admin.display(description=_("percent"))
    def percent(self, event: TaskEvent) -> str:
        return f"{event.progress:.0f}\N{NO-BREAK SPACE}%"

    @admin.display(description=_("details"))
    def details_text(self, event: TaskEvent) -> str:
        """The label of a code in the details, then the other details as JSON."""
        words, known = meaning(event.kind, event.details)
        rest = {name: value for name, value in event.details.items() if name not in known}
        text = json.dumps(rest, ensure_ascii=False)[1:-1]
        return format_html('{} <code class="rest">{}</code>', words, text) if rest else words or "–"


def meaning(kind: str, details: dict[str, Any]) -> tuple[str, set[str]]:
    """(label for the code in an event's details, names of the details that it covers)."""
    if kind == EventKind.INTERRUPTED:
        return label("interruption", details.get("reason", "")), {"reason"}
    if kind == EventKind.DELAYED:
        return label("reason", details.get("reason", "")), {"reason"}
    if kind == EventKind.FAILED:
        return label("error", details.get("code", "")), {"code"}
    if kind == EventKind.IMAGE_STORED and (image := details.get("image")):
        link = format_html('<a href="{}">{} {}</a>', image["url"], _("picture"), image["index"])
        return link, {"image"}
    return "", set()


class ImageInline(TaskInlineMixin, admin.TabularInline):  # type: ignore[type-arg]
    model = GeneratedImage
    extra = 0
    can_delete = False
    fields = (
        *("number", "seed", "shape", "size", "demo", "favourite", "deleted_at"),
        *("file", "sha256"),
    )
    readonly_fields = fields

    @admin.display(description=_("picture"))
    def number(self, image: GeneratedImage) -> str:
        return format_html('<a href="{}">{}</a>', image.data["url"], image.index)

    @admin.display(description=pgettext_lazy("of a picture", "size"))
    def shape(self, image: GeneratedImage) -> str:
        return f"{image.width} × {image.height}"

    @admin.display(description=_("file size"))
    def size(self, image: GeneratedImage) -> str:
        return filesizeformat(image.bytes)


def pictures_of(task: GenerationTask) -> str:
    """HTML with each picture as a link to its file; those in the trash are included.

    What its owner does not get says so.
    """
    rows = (
        (image.data["url"], image.data["thumbnail_url"], _("picture"), image.index, mark_of(image))
        for image in task.images.order_by("index")
    )
    link = '<a class="preview" href="{}"><img src="{}" alt="{} {}">{}</a>'
    return format_html_join(" ", link, rows) or "–"


def mark_of(image: GeneratedImage) -> str:
    if not image.withheld:
        return ""
    is_hidden = image.review_state == ReviewState.HIDDEN
    return str(ReviewState.HIDDEN.label if is_hidden else WordAction.HOLD.label)
