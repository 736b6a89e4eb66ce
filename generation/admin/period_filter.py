"""The period of the task list: a page searches limited many tasks, or reads an index."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.text import smart_split, unescape_string_literal
from django.utils.translation import gettext_lazy as _

from generation.admin.filters import SELECTIVE_VALUES, ReviewFilter
from generation.identifiers import parse_uuid
from generation.models import GenerationTask
from generation.selectors import rare_tasks
from generation.selectors.gallery import MAX_SCANNED
from generation.unicode_text import casefolded

MAX_SCANNED_TASKS = 10_000
"""Tasks that are scanned for one page; they are stored side by side."""

MAX_OF_ONE_OWNER = MAX_SCANNED
"""The same for the tasks of one user, as in the gallery: these are stored far apart."""


MAX_WITH_PICTURES = 1_000
"""The same if the pictures of each task are read too."""


class PeriodFilter(admin.SimpleListFilter):
    """Tasks before `until` back to `since`; None stands for now, and for the first task.

    No other filter and no frequent word scans all tasks that exist; older ones are on the next
    page. Only what an index finds at once is found regardless of age: ids, unfinished tasks, the
    trash and rare words.
    """

    title = _("period")
    parameter_name = "until"
    since: datetime | None = None

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        search = read_search(request.GET.get(SEARCH_VAR, ""))
        self.named = request.GET.get(OwnerFilter.parameter_name) or None
        self.owner = search.owner if self.named is None else user_of(self.named)
        self.parts = search.parts
        self.most = MAX_SCANNED_TASKS if self.owner is None else MAX_OF_ONE_OWNER
        if request.GET.get(ReviewFilter.parameter_name):
            self.most = MAX_WITH_PICTURES
        self.until = read_until(self.value() or "")
        self.is_indexed = bool(search.ids) or any(
            request.GET.get(name) in values for name, values in SELECTIVE_VALUES.items()
        )

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[Any, str]]:
        return ()

    def has_output(self) -> bool:
        """Whether the filter is used; its only choice is a date, which the template asks for."""
        return True

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[GenerationTask]
    ) -> QuerySet[GenerationTask]:
        if self.named is not None and self.owner is None:
            return queryset.none()
        if self.owner is not None:
            queryset = queryset.filter(owner=self.owner)
        if self.until is not None:
            queryset = queryset.filter(created__lt=self.until)
        if self.is_indexed:
            return queryset
        self.since = oldest_of_newest(queryset, self.most)
        if self.since is None:
            return queryset
        if (found := rare_tasks(self.parts)) is not None:
            self.since = None
            return queryset.filter(pk__in=found)
        return queryset.filter(created__gte=self.since)

    @property
    def unquoted_owner(self) -> User | None:
        """The owner if the search names it, although it may be meant as a word."""
        return self.owner if self.named is None else None

    @property
    def last_day(self) -> str:
        """Last day of the period as YYYY-MM-DD for the date input; empty for today."""
        if self.until is None:
            return ""
        return timezone.localtime(self.until - timedelta(microseconds=1)).date().isoformat()


class TypedFilter(admin.SimpleListFilter):
    """A filter whose value is typed instead of chosen."""

    input_type = "text"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[Any, str]]:
        return ()

    def has_output(self) -> bool:
        return True


class OwnerFilter(TypedFilter):
    """The tasks of one account; PeriodFilter selects them, because its period depends on it."""

    title = _("owner")
    parameter_name = "owner"

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[GenerationTask]
    ) -> QuerySet[GenerationTask]:
        return queryset


class SinceFilter(TypedFilter):
    """Tasks of that day and later."""

    title = _("submitted from")
    parameter_name = "since"
    input_type = "date"

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[GenerationTask]
    ) -> QuerySet[GenerationTask]:
        end = read_until(self.value() or "")
        return queryset if end is None else queryset.filter(created__gte=end - timedelta(days=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A parsed search: `owner` if a word names an account; `words` are the rest, casefolded."""

    owner: User | None
    ids: list[uuid.UUID]
    words: str

    @property
    def parts(self) -> list[str]:
        """The texts that prompts must contain, as Django's admin reads `words`."""
        bits = smart_split(self.words)
        return [text for bit in bits if (text := unquoted(bit))]


def user_of(name: str) -> User | None:
    return get_user_model().objects.filter(username=name).first()


def read_search(text: str) -> Search:
    bits = list(smart_split(text))
    ids = {bit: key for bit in bits if (key := parse_uuid(bit)) is not None}
    users = {user.username: user for user in get_user_model().objects.filter(username__in=bits)}
    owner = next((users[bit] for bit in bits if bit in users), None)
    names = {*ids, *([owner.username] if owner else [])}
    words = casefolded(" ".join(bit for bit in bits if bit not in names))
    return Search(owner=owner, ids=list(ids.values()), words=words)


def unquoted(bit: str) -> str:
    is_quoted = bit.startswith(("'", '"')) and bit[0] == bit[-1]
    return unescape_string_literal(bit) if is_quoted else bit


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


def oldest_of_newest(tasks: QuerySet[GenerationTask], most: int) -> datetime | None:
    """Submission time of the oldest of the `most` newest tasks; None if there are no more."""
    newest = tasks.order_by("-created", "-id").values_list("created", flat=True)
    edge = list(newest[most - 1 : most + 1])
    return edge[0] if len(edge) > 1 else None
