"""The task list beyond the first cards of the page: counts, and older tasks."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, TypedDict

from django.db.models import Count

from generation.choices import TERMINAL, UNFINISHED, TaskStatus
from generation.models import GenerationTask
from generation.models.tasks import TaskQuerySet
from generation.selectors.gallery import is_after
from generation.selectors.tasks import PAGE_CARDS, Card, age, cards_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User

ENDED: Mapping[str, frozenset[TaskStatus]] = {
    "all": TERMINAL,
    "completed": frozenset({TaskStatus.COMPLETED}),
    "stopped": frozenset({TaskStatus.FAILED, TaskStatus.CANCELLED}),
}
"""Filter of the list → statuses of ended tasks that it shows."""


class TaskCounts(TypedDict):
    """Tasks per filter of the list; together all."""

    active: int
    completed: int
    stopped: int


def task_counts(owner: User, shown: Collection[uuid.UUID] = ()) -> tuple[TaskCounts, TaskCounts]:
    """Counts of the owner's tasks outside the trash: of all, and of those not `shown`."""
    owned = GenerationTask.objects.filter(owner=owner).order_by()
    counts = Counter(dict(owned.values_list("status").annotate(Count("pk"))))
    trash = GenerationTask.objects.filter(deleted_at__isnull=False).order_by()
    in_trash = trash.narrowed_to(owner.pk)
    counts.subtract(Counter(in_trash.values_list("status", flat=True)))
    here = GenerationTask.objects.owned_among(owner.pk, shown).live().order_by()
    named = Counter(here.values_list("status", flat=True))
    others = Counter(counts)
    others.subtract(named)
    return by_group(counts), by_group(others)


def by_group(counts: Mapping[str, int]) -> TaskCounts:
    return {
        "active": sum(counts[status] for status in UNFINISHED),
        "completed": counts[TaskStatus.COMPLETED],
        "stopped": sum(counts[status] for status in ENDED["stopped"]),
    }


def older_cards(
    owner: User, *, before: uuid.UUID | None, group: str, now: datetime
) -> tuple[list[Card], bool]:
    """The next ended tasks of a filter of ENDED after `before`, and whether there are more.

    `before`: a task of the owner; None or a deleted task: from the newest on.
    """
    owned = GenerationTask.objects.filter(owner=owner).live()
    after = owned
    if before is not None:
        last = GenerationTask.objects.filter(owner=owner, pk=before).first()
        after = owned.filter(is_after(age(last))) if last else owned
    # one query per status: each is read in the order of its index, however rare the status is
    found = chain.from_iterable(
        newest(after.filter(status=status)) for status in sorted(ENDED[group])
    )
    tasks = sorted(found, key=age, reverse=True)
    return cards_of(tasks[:PAGE_CARDS], now), len(tasks) > PAGE_CARDS


def newest(tasks: TaskQuerySet) -> TaskQuerySet:
    """One more than a page, to see whether there are more."""
    return tasks.newest_first()[: PAGE_CARDS + 1]


def named_cards(owner: User, keys: Collection[uuid.UUID], *, now: datetime) -> list[Card]:
    """Cards of the owner's tasks among `keys` outside the trash."""
    tasks = GenerationTask.objects.owned_among(owner.pk, keys).live()
    return cards_of(list(tasks), now)
