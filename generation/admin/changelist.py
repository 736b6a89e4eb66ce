"""The list of tasks: each page covers a limited period, which it shows."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.text import smart_split, unescape_string_literal

from generation.admin.filters import SELECTIVE_VALUES
from generation.identifiers import parse_uuid
from generation.models import GenerationTask
from generation.selectors.gallery import MAX_SCANNED
from generation.unicode_text import casefolded

MAX_SCANNED_TASKS = 10_000
"""Tasks that are scanned for one page; they are stored side by side."""

MAX_OF_ONE_OWNER = MAX_SCANNED
"""The same for the tasks of one user, as in the gallery: these are stored far apart."""

UNTIL = "until"
"""Query parameter: the last day to show, or a time (exclusive)."""


class TaskChangeList(ChangeList):
    """Tasks before `until` back to `since`; None stands for now, and for the first task.

    No filter or search scans all tasks that exist; older ones are on the next page. Only what an
    index finds at once is found regardless of age: ids, unfinished tasks and the trash.
    """

    most: int
    until: datetime | None
    since: datetime | None
    owner: User | None

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        filters = super().get_filters_params(params)
        return {name: value for name, value in filters.items() if name != UNTIL}

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: Any = None
    ) -> QuerySet[GenerationTask]:
        search = read_search(self.query)
        self.owner, self.until = search.owner, read_until(self.params.get(UNTIL, ""))
        self.most = MAX_SCANNED_TASKS if self.owner is None else MAX_OF_ONE_OWNER
        tasks = self.model_admin.get_queryset(request)
        if self.owner is not None:
            tasks = tasks.filter(owner=self.owner)
        if self.until is not None:
            tasks = tasks.filter(created__lt=self.until)
        is_indexed = search.ids or is_selective(self.params)
        self.since = None if is_indexed else oldest_of_newest(tasks, self.most)
        if self.since is not None:
            tasks = tasks.filter(created__gte=self.since)
        if search.ids:
            tasks = tasks.filter(pk__in=search.ids)
        for word in search.words:
            tasks = tasks.filter(search_text__contains=casefolded(word))
        self.root_queryset = tasks
        return super().get_queryset(request, exclude_parameters)

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.result_count:
            # the count has scanned the whole period: do not scan it again
            self.result_list = self.queryset.none()

    @property
    def older(self) -> str:
        """Query string of the next older page; empty on the last one."""
        return self.at(self.since.astimezone(UTC).isoformat()) if self.since else ""

    @property
    def newest(self) -> str:
        return self.at(None)

    def at(self, until: str | None) -> str:
        return str(self.get_query_string({UNTIL: until}))

    @property
    def last_day(self) -> str:
        """Last day of the period as YYYY-MM-DD for the date input; empty for today."""
        if self.until is None:
            return ""
        return timezone.localtime(self.until - timedelta(microseconds=1)).date().isoformat()

    @property
    def kept(self) -> dict[str, str]:
        """Query parameters to keep when another day is chosen."""
        return {name: value for name, value in self.params.items() if name != UNTIL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A parsed search: all `words` must be in the prompt; `owner` if one word names an account."""

    owner: User | None
    ids: list[uuid.UUID]
    words: list[str]


def read_search(text: str) -> Search:
    ids: list[uuid.UUID] = []
    names: list[str] = []
    words: list[str] = []
    for bit in smart_split(text):
        if bit[0] in "\"'" and bit[0] == bit[-1]:
            words.append(unescape_string_literal(bit))
        elif (key := parse_uuid(bit)) is not None:
            ids.append(key)
        else:
            names.append(bit)
    users = {user.username: user for user in get_user_model().objects.filter(username__in=names)}
    owner = next((users[name] for name in names if name in users), None)
    words += [name for name in names if owner is None or name != owner.username]
    return Search(owner=owner, ids=ids, words=list(filter(None, words)))


def read_until(text: str) -> datetime | None:
    """The time in `text`, or the end of the day in it; None if it is neither."""
    try:
        day = parse_date(text)
        if day is not None:
            moment = datetime.combine(day + timedelta(days=1), time.min)
        elif (parsed := parse_datetime(text)) is not None:
            moment = parsed
        else:
            return None
        return (timezone.make_aware(moment) if moment.tzinfo is None else moment).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def is_selective(params: Mapping[str, str]) -> bool:
    return any(params.get(name) in values for name, values in SELECTIVE_VALUES.items())


def oldest_of_newest(tasks: QuerySet[GenerationTask], most: int) -> datetime | None:
    """Submission time of the oldest of the `most` newest tasks; None if there are no more."""
    newest = tasks.order_by("-created", "-id").values_list("created", flat=True)
    edge = list(newest[most - 1 : most + 1])
    return edge[0] if len(edge) > 1 else None
