"""The filtered tasks of the list as a file that is written while it is sent.

It is read as the list is: one period after the other, so that no query reads all tasks.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator
from copy import copy
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast
from unicodedata import normalize

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, SEARCH_VAR
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponseRedirect,
    QueryDict,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.client_address import client_address
from generation import services
from generation.admin.changelist import TaskChangeList, WholeList
from generation.admin.period_filter import PeriodFilter
from generation.choices import AuditAction
from generation.clock import clock
from generation.export_turns import ExportRunning, ExportTurn
from generation.identifiers import parse_uuid
from generation.models import GenerationTask
from generation.own_connection import read_in_threads
from generation.selectors.gallery import is_after

BATCH = 500
"""Tasks per query."""

MAX_EXPORTED = 100_000
"""Most tasks of one file, newest first."""

FIELDS = (
    *("id", "created", "owner", "status", "step", "progress", "error_code", "attempt"),
    *("model", "width", "height", "image_count", "steps", "guidance", "seed"),
    *("wait_seconds", "run_seconds", "finished_at", "deleted_at", "prompt", "negative_prompt"),
)
COLUMNS = tuple("owner__username" if name == "owner" else name for name in FIELDS)
NAMED = tuple(zip(FIELDS, COLUMNS, strict=True))
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
BYTE_ORDER_MARK = "\ufeff"
EXPORT = "generation_generationtask_export"
AFTER, LIMIT = "after", "limit"
"""Parameters: the id of a task behind which the file begins, and how many tasks it has at most."""
MOMENT = timedelta(microseconds=1)

to_json = partial(json.dumps, cls=DjangoJSONEncoder, ensure_ascii=False)
ListOf = Callable[[HttpRequest], WholeList]
Row = dict[str, Any]


class TaskExport:
    """The body of a response; rows are read when the client has taken what was before."""

    def __init__(
        self, request: HttpRequest, list_of: ListOf, *, kind: str, after: str, limit: int
    ) -> None:
        """Raises ExportRunning.

        `list_of`: the filtered list of a request. `kind`: a key of CONTENT_TYPES. `after`: the id
        of the task behind which it begins, or empty.
        """
        self.turn = ExportTurn(cast("User", request.user))
        self.request = request
        self.list_of = list_of
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

    def batches(self) -> Iterator[list[Row]]:
        """All tasks, newest first; one more than a file holds if there are more."""
        room = self.limit + 1
        for tasks in self.periods():
            for batch in batches_of(tasks):
                yield batch[:room]
                room -= len(batch)
                if room <= 0:
                    return

    def periods(self) -> Iterator[QuerySet[GenerationTask]]:
        request, query = copy(self.request), self.request.GET.copy()
        last = task_named(self.after)
        if last is not None:
            # others may have been submitted in the same moment
            query[PeriodFilter.parameter_name] = (last.created + MOMENT).isoformat()
        while True:
            request.GET = query  # type: ignore[assignment]
            listed = self.list_of(request)
            tasks: QuerySet[GenerationTask] = listed.queryset
            yield tasks if last is None else tasks.filter(is_after((last.created, last.pk)))
            if listed.period.since is None:
                return
            query = query.copy()
            query[PeriodFilter.parameter_name] = listed.period.since.isoformat()


def task_named(text: str) -> GenerationTask | None:
    key = parse_uuid(text)
    return None if key is None else GenerationTask.objects.filter(pk=key).first()


def chosen_filters(request: HttpRequest) -> QueryDict:
    """The query without empty values, and without characters that PostgreSQL cannot hold."""
    query = request.GET.copy()
    for name in [name for name, value in query.items() if not value or "\0" in str(value)]:
        del query[name]
    return query


def limit_of(text: str) -> int:
    try:
        return min(max(1, int(text)), MAX_EXPORTED)
    except ValueError:
        return MAX_EXPORTED


def batches_of(tasks: QuerySet[GenerationTask]) -> Iterator[list[Row]]:
    rows = tasks.order_by("-created", "-id").values(*COLUMNS)
    batch = list(rows[:BATCH])
    while batch:
        yield batch
        last = batch[-1]
        batch = list(rows.filter(is_after((last["created"], last["id"])))[:BATCH])


def fitting(rows: list[Row], room: int) -> tuple[list[Row], bool]:
    """Those of a batch that fit into the file; whether more follow."""
    return rows[:room], len(rows) > room


def csv_text(batches: Iterator[list[Row]], limit: int) -> Iterator[str]:
    # without the mark spreadsheets read Chinese as Latin-1
    yield BYTE_ORDER_MARK + line_of(FIELDS)
    count, last = 0, ""
    for batch in batches:
        rows, more = fitting(batch, limit - count)
        count += len(rows)
        last = str(rows[-1]["id"]) if rows else last
        yield "".join(line_of(cell(row[name]) for name in COLUMNS) for row in rows)
        if more:
            yield line_of([f"more tasks follow: {AFTER}={last}"])


def json_text(batches: Iterator[list[Row]], limit: int) -> Iterator[str]:
    yield '{"tasks": ['
    count, last, follows = 0, None, None
    for batch in batches:
        rows, more = fitting(batch, limit - count)
        texts = (
            to_json(dict(zip(FIELDS, (row[name] for name in COLUMNS), strict=True))) for row in rows
        )
        yield ("," if count and rows else "") + ",\n".join(texts)
        count += len(rows)
        last = str(rows[-1]["id"]) if rows else last
        follows = last if more else follows
    yield f'], "{AFTER}": {json.dumps(follows)}}}\n'


def line_of(cells: Iterable[object]) -> str:
    line = io.StringIO()
    # where `;` separates cells, an unquoted one would begin in the middle of a prompt
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow(cells)
    return line.getvalue()


def cell(value: object) -> object:
    """A value that no spreadsheet takes for a formula."""
    if isinstance(value, datetime):
        return value.isoformat()
    # spreadsheets read full-width signs as their ASCII forms
    if isinstance(value, str) and normalize("NFKC", value[:1]).startswith(FORMULAS):
        return f"'{value}"
    return value


class ExportMixin:
    """The address of the export, in an admin whose list is a WholeList at it."""

    def get_urls(self: Any) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.export))
        return [path("export/<str:kind>/", view, name=EXPORT), *super().get_urls()]  # type: ignore[misc]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[TaskChangeList]:
        is_export = request.resolver_match is not None and request.resolver_match.url_name == EXPORT
        return WholeList if is_export else TaskChangeList

    def export(self: Any, request: HttpRequest, kind: str) -> HttpResponseBase:
        """The tasks of the list with the same query string."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if kind not in CONTENT_TYPES:
            raise Http404
        listing = reverse("admin:generation_generationtask_changelist")
        listed, query = copy(request), chosen_filters(request)
        after = query.pop(AFTER, [""])[0]
        limit = limit_of(query.pop(LIMIT, [""])[0])
        listed.GET = query  # type: ignore[assignment]
        try:
            self.get_changelist_instance(listed)
            body = TaskExport(
                listed, self.get_changelist_instance, kind=kind, after=after, limit=limit
            )
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{listing}?{ERROR_FLAG}=1")
        except ExportRunning:
            sentence = _("Another export of yours is still being sent. Wait for its end.")
            self.message_user(request, sentence, messages.WARNING)
            return HttpResponseRedirect(f"{listing}?{request.GET.urlencode()}")
        services.record_action(
            actor=cast("User", request.user),
            action=AuditAction.EXPORTED,
            now=clock.now(),
            address=client_address(request),
            kind=kind,
            # the words of a search may be those of a prompt
            filters={name: text for name, text in query.items() if name != SEARCH_VAR},
            searched=SEARCH_VAR in query,
        )
        name = f"tasks-{timezone.localdate()}.{kind}"
        response = StreamingHttpResponse(body, content_type=CONTENT_TYPES[kind])
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "no-store"
        return response
