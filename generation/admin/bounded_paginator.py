"""Pages of a list that grows with every task or decision."""

from __future__ import annotations

from typing import Any, cast

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts `most` rows, and pages end there: a count of all would read the whole table.

    Filters and the search reach older rows.
    """

    most = 10_000

    @cached_property
    def counted(self) -> int:
        """One more than `most` stands for more."""
        rows = cast("QuerySet[Any]", self.object_list)
        return rows.order_by()[: self.most + 1].count()

    @property
    def is_cut(self) -> bool:
        return self.counted > self.most

    @cached_property
    def count(self) -> int:
        return min(self.counted, self.most)
