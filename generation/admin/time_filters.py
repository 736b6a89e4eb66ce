"""Filters by whether a time is set, with words for what that means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class TimeIsSetFilter(admin.EmptyFieldListFilter):
    """Django's words are "Empty" and "Not empty"."""

    empty: str | Promise
    filled: str | Promise

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.title = _("state")

    def choices(self, changelist: Any) -> Iterator[Any]:
        every, empty, filled = super().choices(changelist)
        yield every
        yield {**empty, "display": self.empty}
        yield {**filled, "display": self.filled}


class IncidentStateFilter(TimeIsSetFilter):
    empty, filled = _("goes on"), _("is over")


class WebhookStateFilter(TimeIsSetFilter):
    empty, filled = _("works"), _("fails")
