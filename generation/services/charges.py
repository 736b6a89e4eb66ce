"""Takes tasks from the limits of their owners, and gives back what ended without pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Greatest

from generation import process_metrics, sql
from generation.choices import LimitKind, TaskStatus
from generation.exceptions import LimitReached
from generation.models import GenerationTask, LimitUsage
from generation.selectors import Allowance, Allowances, allowances_of, period_of, stored_bytes

KEPT = timedelta(days=3)
"""How long usage of past periods is kept; a task that ends later gives nothing back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What a task took. `columns` are those of its row; `allowances`: what is left."""

    columns: Mapping[str, Any]
    allowances: Allowances = field(default_factory=dict)


def charge(*, owner_id: int, values: Mapping[str, Any], now: datetime) -> Charge:
    """Take one task with these column values from the limits of its owner.

    In the transaction that inserts the task, with the owner locked. Raises LimitReached; then the
    transaction must be rolled back.
    """
    allowances = allowances_of([owner_id], now=now)[owner_id]
    images = values["image_count"]
    effort = values["width"] * values["height"] * values["steps"] * images
    if LimitKind.STORAGE in allowances:
        allowances[LimitKind.STORAGE] = counted_storage(owner_id, allowances[LimitKind.STORAGE])
    needed = {LimitKind.UNFINISHED: 1, LimitKind.TASK_EFFORT: effort, LimitKind.STORAGE: 1}
    for kind, least in needed.items():
        if kind in allowances and allowances[kind].left < least:
            raise reached(allowances[kind])
    # one order for all transactions, so that two do not deadlock
    amounts = {LimitKind.PICTURES: images, LimitKind.EFFORT: effort, LimitKind.SUBMISSIONS: 1}
    for kind, amount in amounts.items():
        if kind in allowances:
            allowances[kind] = take(owner_id, allowances[kind], amount)
    if LimitKind.UNFINISHED in allowances:
        unfinished = allowances[LimitKind.UNFINISHED]
        allowances[LimitKind.UNFINISHED] = unfinished.after((unfinished.used or 0) + 1)
    return Charge(columns=columns_of(allowances, amounts), allowances=allowances)


def columns_of(allowances: Allowances, amounts: Mapping[LimitKind, int]) -> dict[str, Any]:
    """The columns of the task that say what its end may give back."""
    taken = {
        kind: amounts[kind] for kind in (LimitKind.PICTURES, LimitKind.EFFORT) if kind in allowances
    }
    if not taken:
        return {}
    day = date.fromisoformat(allowances[next(iter(taken))].period)
    return {
        "charged_on": day,
        "charged_images": taken.get(LimitKind.PICTURES, 0),
        "charged_effort": taken.get(LimitKind.EFFORT, 0),
    }


def take(owner_id: int, allowance: Allowance, amount: int) -> Allowance:
    """Add `amount` to what was used; raises LimitReached if the limit would be passed."""
    if amount > allowance.limit:
        raise reached(allowance)
    key: list[int | str] = [owner_id, allowance.kind.value, allowance.period]
    with connection.cursor() as cursor:
        cursor.execute(sql.TAKE, [*key, amount, allowance.limit])
        row = cursor.fetchone()
    if row is None:
        raise reached(allowance)
    return allowance.after(row[0])


def reached(allowance: Allowance) -> LimitReached:
    process_metrics.LIMITS_REFUSED.labels(allowance.kind.value).inc()
    return LimitReached(
        allowance.kind,
        limit=allowance.limit,
        left=allowance.left,
        renews_at=allowance.renews_at,
    )


def charges_after(task: GenerationTask, status: TaskStatus, stored: int) -> dict[str, int]:
    """The charge columns of a task that ends with `stored` pictures; empty if none changes.

    A failed task gives everything back, a cancelled one the pictures that were not stored.
    """
    if task.charged_on is None or status == TaskStatus.COMPLETED:
        return {}
    kept = stored if status == TaskStatus.CANCELLED else 0
    return {
        name: getattr(task, name) * kept // task.image_count
        for name in ("charged_images", "charged_effort")
    }


def give_back(task: GenerationTask, charges: Mapping[str, int]) -> None:
    """Subtract what `task` gives back if its charge columns become `charges`."""
    kinds = {"charged_images": LimitKind.PICTURES, "charged_effort": LimitKind.EFFORT}
    for name, after in charges.items():
        amount = getattr(task, name) - after
        if amount and task.charged_on is not None:
            day = task.charged_on.isoformat()
            usage = LimitUsage.objects.filter(owner=task.owner_id, kind=kinds[name], period=day)
            usage.update(used=Greatest(F("used") - amount, 0))


def counted_storage(owner_id: int, allowance: Allowance) -> Allowance:
    """The allowance with the bytes that are stored; counts them if that was not done yet."""
    if allowance.used is not None:
        return allowance
    used = stored_bytes(owner_id).total
    usage = LimitUsage(owner_id=owner_id, kind=LimitKind.STORAGE, used=used)
    LimitUsage.objects.bulk_create([usage], ignore_conflicts=True)
    return allowance.after(used)


def add_storage(owner_id: int, size: int) -> None:
    """Count stored (negative: deleted) bytes, if the storage of this owner is counted."""
    with connection.cursor() as cursor:
        cursor.execute(sql.ADD_STORAGE, [size, size, owner_id])


def add_deleted(pictures: Iterable[tuple[int, int]]) -> None:
    """Subtract deleted pictures, each (owner id, bytes), from the storage of their owners."""
    sizes: dict[int, int] = {}
    for owner_id, size in pictures:
        sizes[owner_id] = sizes.get(owner_id, 0) + size
    for owner_id in sorted(sizes):
        add_storage(owner_id, -sizes[owner_id])


def recount_storage() -> None:
    """Count the stored bytes of each counted owner again, which heals what was missed."""
    counted = LimitUsage.objects.filter(kind=LimitKind.STORAGE, period="")
    for key, owner_id in counted.order_by("owner").values_list("pk", "owner"):
        with transaction.atomic():
            # locked before counting: pictures that are stored meanwhile are added afterwards
            if counted.select_for_update().filter(pk=key).first() is not None:
                counted.filter(pk=key).update(used=stored_bytes(owner_id).total)


def delete_past_usage(*, now: datetime) -> None:
    """Delete what was used in periods that ended long ago."""
    # minutes begin with their day too
    day, _end = period_of(LimitKind.PICTURES, now - KEPT)
    LimitUsage.objects.exclude(period="").filter(period__lt=day).delete()
