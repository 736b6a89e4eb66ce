"""The audit log, read-only, and its export as a file that is written while it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from copy import copy
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts.client_address import client_address
from generation import services
from generation.admin.audit_words import details_text
from generation.admin.bounded_paginator import BoundedPaginator
from generation.admin.mixins import ReadOnlyMixin
from generation.admin.task_export import (
    AFTER,
    BYTE_ORDER_MARK,
    CONTENT_TYPES,
    LIMIT,
    cell,
    fitting,
    limit_of,
    line_of,
    to_json,
)
from generation.choices import AuditAction
from generation.clock import clock
from generation.export_turns import ExportRunning, ExportTurn
from generation.identifiers import parse_uuid
from generation.models import AuditEntry
from generation.own_connection import read_in_threads
from generation.staff_permissions import AUDIT

BATCH = 500

MAX_DIGITS = 19
"""No key of a database has more."""

FIELDS = (
    *("id", "created", "actor_name", "address", "action", "task", "image_index"),
    *("owner_name", "details"),
)
LIST = "admin:generation_auditentry_changelist"


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    """What staff did to whose task, and from where."""

    list_display = ("at", "actor_name", "action", "of_task", "owner_name", "address", "said")
    list_filter = ("action",)
    search_fields = ("=actor_name", "=owner_name")
    search_help_text = gettext_lazy("A task id, or the name of an account or of an owner.")
    date_hierarchy = "created"
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-created", "-id")
    sortable_by = ()
    fields = (*FIELDS[:-1], "said")
    readonly_fields = ("said",)

    def has_view_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return request.user.has_perm(AUDIT)

    @admin.display(description=gettext_lazy("time"))
    def at(self, entry: AuditEntry) -> str:
        return timezone.localtime(entry.created).strftime("%Y-%m-%d %H:%M:%S")

    @admin.display(description=gettext_lazy("task"))
    def of_task(self, entry: AuditEntry) -> str:
        """The beginning of its id, which leads to all entries about it."""
        if entry.task is None:
            return "–"
        return format_html('<a href="?q={}">{}</a>', entry.task, str(entry.task)[:8])

    @admin.display(description=gettext_lazy("details"))
    def said(self, entry: AuditEntry) -> str:
        return details_text(entry.action, entry.details) or "–"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        task = parse_uuid(search_term.strip())
        if task is not None:
            return queryset.filter(task=task), False
        return super().get_search_results(request, queryset, search_term)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.export))
        address = path("export/<str:kind>/", view, name="generation_auditentry_export")
        return [address, *super().get_urls()]

    def export(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """The entries of the list with the same query string; an entry says so."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if kind not in CONTENT_TYPES:
            raise Http404
        actor = cast("User", request.user)
        listed, query = copy(request), request.GET.copy()
        after = query.pop(AFTER, [""])[0]
        limit = limit_of(query.pop(LIMIT, [""])[0])
        listed.GET = query  # type: ignore[assignment]
        try:
            entries = self.get_changelist_instance(listed).queryset
            body = AuditExport(actor, entries, kind=kind, after=after, limit=limit)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{reverse(LIST)}?{ERROR_FLAG}=1")
        except ExportRunning:
            sentence = _("Another export of yours is still being sent. Wait for its end.")
            self.message_user(request, sentence, messages.WARNING)
            return HttpResponseRedirect(reverse(LIST))
        services.record_action(
            actor=actor,
            action=AuditAction.AUDIT_EXPORTED,
            now=clock.now(),
            address=client_address(request),
            kind=kind,
            filters=dict(query.items()),
        )
        response = StreamingHttpResponse(body, content_type=CONTENT_TYPES[kind])
        name = f"audit-{timezone.localdate()}.{kind}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "no-store"
        return response


class AuditExport:
    """The body of a response; rows are read when the client has taken what was before."""

    def __init__(
        self, actor: User, entries: QuerySet[AuditEntry], *, kind: str, after: str, limit: int
    ) -> None:
        """Raises ExportRunning. `after`: the id of the entry behind which it begins, or empty."""
        self.turn = ExportTurn(actor)
        self.entries = entries.order_by("-created", "-id").values(*FIELDS)
        self.after = after
        self.limit = limit
        self.write = csv_text if kind == "csv" else json_text

    def __aiter__(self) -> AsyncIterator[bytes]:
        return read_in_threads(self.chunks())

    def chunks(self) -> Generator[bytes]:
        for text in self.write(self.batches(), self.limit):
            self.turn.renew()
            yield text.encode(errors="replace")

    def close(self) -> None:
        """Let the next export begin; Django calls it even if the client left."""
        self.turn.end()

    def batches(self) -> Iterator[list[dict[str, Any]]]:
        """All entries, newest first; one more than a file holds if there are more."""
        rows, room = self.entries, self.limit + 1
        last = entry_named(self.after)
        while room > 0:
            if last is not None:
                same = Q(created=last["created"], id__lt=last["id"])
                rows = self.entries.filter(Q(created__lt=last["created"]) | same)
            batch = list(rows[: min(BATCH, room)])
            if not batch:
                return
            yield batch
            room -= len(batch)
            last = batch[-1]


def entry_named(text: str) -> dict[str, Any] | None:
    key = int(text) if text.isascii() and text.isdecimal() and len(text) < MAX_DIGITS else 0
    found = AuditEntry.objects.filter(pk=key).values("id", "created").first()
    return None if found is None else dict(found)


def csv_text(batches: Iterator[list[dict[str, Any]]], limit: int) -> Iterator[str]:
    # without the mark spreadsheets read Chinese as Latin-1
    yield BYTE_ORDER_MARK + line_of(FIELDS)
    count, last = 0, 0
    for batch in batches:
        rows, more = fitting(batch, limit - count)
        count += len(rows)
        last = rows[-1]["id"] if rows else last
        yield "".join(
            line_of(cell(row[name] if name != "details" else to_json(row[name])) for name in FIELDS)
            for row in rows
        )
        if more:
            yield line_of([f"more entries follow: {AFTER}={last}"])


def json_text(batches: Iterator[list[dict[str, Any]]], limit: int) -> Iterator[str]:
    yield '{"entries": ['
    count, last, follows = 0, None, None
    for batch in batches:
        rows, more = fitting(batch, limit - count)
        yield (",\n" if count and rows else "") + ",\n".join(map(to_json, rows))
        count += len(rows)
        last = rows[-1]["id"] if rows else last
        follows = last if more else follows
    yield f'], "{AFTER}": {to_json(follows)}}}\n'
