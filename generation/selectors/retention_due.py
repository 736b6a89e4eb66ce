"""What retention has yet to delete, of some owners, and a report of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet, Sum

from generation.choices import RetentionKind
from generation.models import GeneratedImage, GenerationTask, RetentionRule, ShareLink
from generation.models.tasks import TaskQuerySet
from generation.selectors.retention_rules import (
    days_kept,
    default_days,
    owners_by_days,
    trash_before,
)

OWNERS_AT_ONCE = 200
TRASH_AT_ONCE = 500
DuePages = Iterator[tuple[datetime, list[Any]]]
"""Keys that are due, with the time until which they were deleted; for each time of a page."""
MOST_REPORTED = 5_000
"""Users whose data a report counts."""
MOST_COUNTED = 10_000
"""Rows that each line of a report counts."""


def tasks_with_prompt(owners: Collection[int], before: datetime) -> TaskQuerySet:
    """Tasks that ended before and still have their prompts."""
    return GenerationTask.objects.filter(
        owner__in=owners, finished_at__lt=before, prompt_removed_at__isnull=True
    )


def tasks_with_whole_log(owners: Collection[int], before: datetime) -> TaskQuerySet:
    """Tasks that ended before and still have all their events."""
    return GenerationTask.objects.filter(
        owner__in=owners, finished_at__lt=before, log_pruned_at__isnull=True, slot__isnull=True
    )


def old_pictures(
    owners: Collection[int], *, before: datetime, favourite: bool, now: datetime
) -> QuerySet[GeneratedImage]:
    """Pictures outside the trash whose task ended before.

    A restored picture is old again as late after its restoration. Pictures that a share link shows
    are left until the link expires.
    """
    shared = ShareLink.objects.filter(task=OuterRef("task"), expires_at__gt=now)
    return GeneratedImage.objects.filter(
        Q(restored_at__isnull=True) | Q(restored_at__lt=before),
        ~Exists(shared),
        task__owner__in=owners,
        # no task ends before it is submitted: an index of owners has this column
        task__created__lt=before,
        task__finished_at__lt=before,
        task__deleted_at__isnull=True,
        deleted_at__isnull=True,
        favourite=favourite,
    ).order_by()


def tasks_in_trash(owners: Collection[int], before: datetime) -> QuerySet[GenerationTask]:
    """Tasks that were deleted until then and that no call holds."""
    tasks = GenerationTask.objects.filter(slot__isnull=True, deleted_at__lte=before)
    # an expression for the same reason as in TaskQuerySet.narrowed_to
    return tasks.alias(whose=F("owner") + 0).filter(whose__in=owners)


def pictures_in_trash(owners: Collection[int], before: datetime) -> QuerySet[GeneratedImage]:
    pictures = GeneratedImage.objects.filter(deleted_at__lte=before)
    return pictures.alias(whose=F("task__owner") + 0).filter(whose__in=owners)


def due_in_trash(now: datetime) -> Q:
    """Rows of the trash, annotated with `whose`, that may be due.

    All that are older than the usual time, and of owners with a shorter one also younger ones.
    """
    usual = default_days()[RetentionKind.TRASH]
    shorter = Q(days__isnull=False) if usual is None else Q(days__lt=usual)
    rules = RetentionRule.objects.filter(shorter, kind=RetentionKind.TRASH)
    shortest = rules.aggregate(days=Min("days"))["days"]
    due = Q(deleted_at__lte=trash_before(usual, now))
    if shortest is None:
        return due
    owners = User.objects.filter(
        Q(retention_rules__in=rules) | Q(groups__retention_rules__in=rules)
    )
    return Q(deleted_at__lte=trash_before(shortest, now)) & (due | Q(whose__in=owners.values("pk")))


def due_tasks(due: Q, now: datetime) -> DuePages:
    """Tasks that are due and that no call holds; `due`: of `due_in_trash`."""
    tasks = GenerationTask.objects.alias(whose=F("owner") + 0).filter(due, slot__isnull=True)
    return due_pages(tasks, "owner", now)


def due_pictures(due: Q, now: datetime) -> DuePages:
    pictures = GeneratedImage.objects.alias(whose=F("task__owner") + 0).filter(due)
    return due_pages(pictures, "task__owner", now)


def due_pages(rows: QuerySet[Any], owner: str, now: datetime) -> DuePages:
    """Read these rows page by page, each once, and name those that are due."""
    ordered = rows.order_by("deleted_at", "pk").values_list("deleted_at", "pk", owner)
    page = list(ordered[:TRASH_AT_ONCE])
    while page:
        kept = days_kept({owner_id for _at, _pk, owner_id in page})
        due: defaultdict[datetime, list[Any]] = defaultdict(list)
        for at, key, owner_id in page:
            before = trash_before(kept[owner_id][RetentionKind.TRASH], now)
            if at <= before:
                due[before].append(key)
        yield from due.items()
        last, key, _owner = page[-1]
        later = Q(deleted_at__gt=last) | Q(deleted_at=last, pk__gt=key)
        page = list(ordered.filter(later, deleted_at__gte=last)[:TRASH_AT_ONCE])


@dataclass(slots=True, kw_only=True)
class ReportLine:
    """What the next run deletes of one kind, of all users who keep it so long.

    `days`: None for ever. `tasks`: also tasks in the trash. `events`: of the logs that are
    shortened, including those few that stay. `is_least`: there are more than were counted.
    """

    kind: RetentionKind
    days: int | None
    users: int = 0
    tasks: int = 0
    events: int = 0
    pictures: int = 0
    bytes: int = 0
    oldest: datetime | None = None
    is_least: bool = False

    @property
    def rows(self) -> int:
        return self.tasks + self.pictures

    def add(self, rows: QuerySet[Any], name: str, at: str, **sums: str) -> None:
        """Count these rows as `name`; `at`: their time; `sums`: column of a line → to sum up."""
        room = MOST_COUNTED - self.rows
        if room <= 0:
            self.is_least = True
            return
        values = {column: Sum(source) for column, source in sums.items()}
        found = rows.order_by()[: room + 1].aggregate(n=Count("pk"), first=Min(at), **values)
        self.is_least = self.is_least or found["n"] > room
        setattr(self, name, getattr(self, name) + min(found["n"], room))
        for column in sums:
            setattr(self, column, getattr(self, column) + (found[column] or 0))
        times = [each for each in (self.oldest, found["first"]) if each is not None]
        self.oldest = min(times, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneReport:
    """`is_whole`: the data of all users was counted."""

    lines: list[ReportLine]
    is_whole: bool


def prune_report(*, now: datetime) -> PruneReport:
    """What a run would delete at `now`; deletes nothing."""
    lines: dict[tuple[RetentionKind, int | None], ReportLine] = {}
    counted = 0
    for owners in pages_of_users():
        if counted >= MOST_REPORTED:
            return PruneReport(lines=in_order(lines.values()), is_whole=False)
        counted += len(owners)
        kept = days_kept(owners)
        for kind in RetentionKind:
            for days, found in owners_by_days(kept, kind).items():
                line = lines.setdefault((kind, days), ReportLine(kind=kind, days=days))
                line.users += len(found)
                count(line, found, now)
    return PruneReport(lines=in_order(lines.values()), is_whole=True)


def pages_of_users() -> Iterator[list[int]]:
    """The keys of all users in order."""
    users = User.objects.order_by("pk").values_list("pk", flat=True)
    page = list(users[:OWNERS_AT_ONCE])
    while page:
        yield page
        page = list(users.filter(pk__gt=page[-1])[:OWNERS_AT_ONCE])


def in_order(lines: Iterable[ReportLine]) -> list[ReportLine]:
    """By kind, and then the longest first."""
    kinds = list(RetentionKind)
    return sorted(lines, key=lambda line: (kinds.index(line.kind), -(line.days or 10**9)))


def count(line: ReportLine, owners: list[int], now: datetime) -> None:
    if line.kind == RetentionKind.TRASH:
        before = trash_before(line.days, now)
        line.add(tasks_in_trash(owners, before), "tasks", "deleted_at")
        pictures = pictures_in_trash(owners, before)
        line.add(pictures, "pictures", "deleted_at", bytes="bytes")
    elif line.days is None:
        return
    elif line.kind == RetentionKind.PROMPTS:
        before = now - timedelta(days=line.days)
        line.add(tasks_with_prompt(owners, before), "tasks", "finished_at")
    elif line.kind == RetentionKind.LOGS:
        before = now - timedelta(days=line.days)
        logs = tasks_with_whole_log(owners, before)
        line.add(logs, "tasks", "finished_at", events="newest_seq")
    else:
        favourite = line.kind == RetentionKind.FAVOURITES
        before = now - timedelta(days=line.days)
        pictures = old_pictures(owners, before=before, favourite=favourite, now=now)
        line.add(pictures, "pictures", "task__finished_at", bytes="bytes")
