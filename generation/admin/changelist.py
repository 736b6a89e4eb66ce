"""The list of tasks: it looks through so many at a time, and says which."""

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
"""Tasks that are looked through for one page; they lie side by side in the database."""

MAX_OF_ONE_OWNER = MAX_SCANNED
"""The same for those of one person, as in his gallery: they lie far apart."""

UNTIL = "until"
"""A day, which is looked through up to its end, or the moment before which all were submitted."""


class TaskChangeList(ChangeList):
    """The newest tasks before `until`, back to `since`; None: from now, to the first one.

    No filter and no search goes through all tasks that ever were: for older ones people ask
    again. What an index finds at once is found however old it is: ids, who is unfinished, the bin.
    """

    most: int
    until: datetime | None
    since: datetime | None
    owner: User | None

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        found = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name != UNTIL}

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
        all_of_them = search.ids or is_selective(self.params)
        self.since = None if all_of_them else oldest_of_newest(tasks, self.most)
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
            # they were all looked at to be counted
            self.result_list = self.queryset.none()

    @property
    def older(self) -> str:
        """The query for those that come next; empty after the last."""
        return self.at(self.since.astimezone(UTC).isoformat()) if self.since else ""

    @property
    def newest(self) -> str:
        return self.at(None)

    def at(self, until: str | None) -> str:
        return str(self.get_query_string({UNTIL: until}))

    @property
    def last_day(self) -> str:
        """Of those that are looked through, as the page's calendar wants it."""
        if self.until is None:
            return ""
        return timezone.localtime(self.until - timedelta(microseconds=1)).date().isoformat()

    @property
    def kept(self) -> dict[str, str]:
        """What stays as it is when another day is chosen."""
        return {name: value for name, value in self.params.items() if name != UNTIL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """All words have to be in the prompt; a word that names an account means its tasks."""

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
    people = {user.username: user for user in get_user_model().objects.filter(username__in=names)}
    owner = next((people[name] for name in names if name in people), None)
    words += [name for name in names if owner is None or name != owner.username]
    return Search(owner=owner, ids=ids, words=list(filter(None, words)))


def read_until(text: str) -> datetime | None:
    """What cannot be read counts as not given."""
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
    """When the last of so many was submitted; None if there are no more than these."""
    newest = tasks.order_by("-created", "-id").values_list("created", flat=True)
    edge = list(newest[most - 1 : most + 1])
    return edge[0] if len(edge) > 1 else None
