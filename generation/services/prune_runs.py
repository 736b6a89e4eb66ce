"""The nightly run that obeys the retention of each user, in batches that can be interrupted."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, astuple, dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from generation.choices import RetentionKind
from generation.models import PruneRun
from generation.selectors.retention_due import OWNERS_AT_ONCE
from generation.selectors.retention_rules import Days, days_kept, owners_by_days
from generation.services.log_pruning import prune_logs
from generation.services.picture_expiry import expire_pictures
from generation.services.prompt_removal import remove_prompts

LEASE = timedelta(minutes=5)
"""Time without a batch after which another worker continues the run."""

RUNS_KEPT = timedelta(days=100)

MOST_FAILED = 100
"""Tasks with a picture that cannot be written after which a run removes no more prompts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What a batch deleted, as the columns of a run; `bytes`: of the pictures.

    `failed`: keys of tasks whose prompts could not be removed.
    """

    prompts: int = 0
    logs: int = 0
    events: int = 0
    pictures: int = 0
    bytes: int = 0
    failed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(astuple(self))

    def __add__(self, other: Pruned) -> Pruned:
        return Pruned(
            prompts=self.prompts + other.prompts,
            logs=self.logs + other.logs,
            events=self.events + other.events,
            pictures=self.pictures + other.pictures,
            bytes=self.bytes + other.bytes,
            failed=self.failed + other.failed,
        )


def take_run(*, worker_id: uuid.UUID, now: datetime) -> PruneRun | None:
    """Today's run with the lease of this worker.

    None before PRUNE_HOUR, after the end of the run, and while another worker has the lease.
    """
    local = timezone.localtime(now, timezone.get_default_timezone())
    if local.hour < settings.PRUNE_HOUR:
        return None
    run, _created = PruneRun.objects.get_or_create(day=local.date(), defaults={"started_at": now})
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now) | Q(worker=worker_id)
    taken = PruneRun.objects.filter(free, pk=run.pk, finished_at__isnull=True)
    if not taken.update(worker=worker_id, lease_until=now + LEASE):
        return None
    return run


def continue_run(run_id: int, *, worker_id: uuid.UUID, now: datetime) -> bool:
    """Prune the next batch; returns False when nothing is left or the lease was lost."""
    held = PruneRun.objects.filter(pk=run_id, worker=worker_id, finished_at__isnull=True)
    run = held.filter(lease_until__gt=now).first()
    if run is None:
        return False
    users = User.objects.filter(pk__gt=run.last_owner).order_by("pk")
    owners = list(users.values_list("pk", flat=True)[:OWNERS_AT_ONCE])
    if not owners:
        held.update(finished_at=now, lease_until=None)
        delete_old_runs(now)
        return False
    # the moment of the start, so that a long run ends
    at = run.started_at
    pruned = prune_owners(days_kept(owners), at=at, now=now, failed=run.failed)
    if pruned:
        add(run, pruned, held, now)
    else:
        held.update(last_owner=owners[-1], lease_until=now + LEASE)
    return True


def prune_owners(
    kept: Mapping[int, Days], *, at: datetime, now: datetime, failed: Collection[str] = ()
) -> Pruned:
    """Prune a batch of these owners' data; `at`: the moment up to which its age counts.

    `failed`: tasks that earlier batches of the same run report as failed; they are not tried again.
    """
    kinds = dict(PRUNE)
    if len(failed) >= MOST_FAILED:
        del kinds[RetentionKind.PROMPTS]
    else:
        kinds[RetentionKind.PROMPTS] = partial(prune_prompts, failed=failed)
    for kind, prune in kinds.items():
        for days, owners in owners_by_days(kept, kind).items():
            if days is None:
                continue
            pruned = prune(owners, at - timedelta(days=days), now)
            if pruned:
                return pruned
    return Pruned()


def prune_prompts(
    owners: list[int], before: datetime, now: datetime, *, failed: Collection[str] = ()
) -> Pruned:
    removed, kept = remove_prompts(owners=owners, before=before, now=now, failed=failed)
    return Pruned(prompts=removed, failed=tuple(kept))


def shorten_logs(owners: list[int], before: datetime, now: datetime) -> Pruned:
    logs, events = prune_logs(owners=owners, before=before, now=now)
    return Pruned(logs=logs, events=events)


def move_pictures(
    owners: list[int], before: datetime, now: datetime, *, favourite: bool = False
) -> Pruned:
    moved, size = expire_pictures(owners=owners, before=before, favourite=favourite, now=now)
    return Pruned(pictures=moved, bytes=size)


PRUNE: Mapping[RetentionKind, Callable[[list[int], datetime, datetime], Pruned]] = {
    RetentionKind.PROMPTS: prune_prompts,
    RetentionKind.LOGS: shorten_logs,
    RetentionKind.PICTURES: move_pictures,
    RetentionKind.FAVOURITES: partial(move_pictures, favourite=True),
}
"""The trash is emptied every hour, not by the run."""


def add(run: PruneRun, pruned: Pruned, held: QuerySet[PruneRun], now: datetime) -> None:
    """Count what a batch deleted, and renew the lease."""
    numbers = asdict(pruned)
    failed = [*run.failed, *numbers.pop("failed")]
    counts = {name: F(name) + number for name, number in numbers.items() if number}
    held.update(lease_until=now + LEASE, failed=failed, **counts)


def delete_old_runs(now: datetime) -> None:
    PruneRun.objects.filter(started_at__lt=now - RUNS_KEPT).delete()
