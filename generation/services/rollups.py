"""Figures of minutes and hours: counted from the tasks that ended, and sampled from the queue.

Any number of workers may do this at once: what is counted depends on the rows alone, and there is
one row per period.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from generation import selectors
from generation.choices import Resolution, TaskStatus
from generation.histograms import added, histogram_of
from generation.models import GenerationTask, Rollup

SETTLED_AFTER = timedelta(seconds=20)
"""Time after the end of a minute until it is counted: transactions that end tasks commit later."""

MINUTES_KEPT = timedelta(days=2)
HOURS_KEPT = timedelta(days=40)
CATCH_UP = MINUTES_KEPT
"""Minutes and hours of a time without workers are counted later, unless it is longer ago."""

BATCH = timedelta(hours=1)
"""Minutes that are counted with one query."""

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

COUNTS = ("ended", "durations", "is_counted")
SAMPLES = ("queued_most", "oldest_wait_most")
ENDED_FIELDS = (
    *("finished_at", "model", "status", "error_code", "step", "image_count"),
    *("wait_seconds", "run_seconds", "measured_durations"),
)


def minute_of(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def hour_of(moment: datetime) -> datetime:
    return minute_of(moment).replace(minute=0)


def sample_queue(*, now: datetime) -> None:
    """Note the length of the queue and its oldest task in the running minute, if they grew."""
    queued, oldest = selectors.queue_size(now)
    values = {"queued_most": queued, "oldest_wait_most": oldest}
    period = {"resolution": Resolution.MINUTE, "start": minute_of(now)}
    row = Rollup.objects.filter(**period).first()
    if row is None:
        Rollup.objects.bulk_create([Rollup(**period, **values)], ignore_conflicts=True)
    for name, value in values.items():
        # another worker may have noted more since the row was read
        Rollup.objects.filter(**period, **{f"{name}__lt": value}).update(**{name: value})


def roll_up(*, now: datetime) -> bool:
    """Count the tasks of minutes that have ended, up to the end of an hour; whether more are due.

    Workers that begin at once write the same.
    """
    # of a clock that was ahead; after them nothing would be counted until then
    Rollup.objects.filter(start__gt=now + MINUTE).delete()
    until = minute_of(now - SETTLED_AFTER)
    start = next_minute(until)
    stop = min(hour_of(start) + BATCH, until)
    if start < stop:
        count_minutes(start, stop)
    roll_up_hours(stop)
    return stop < until


def next_minute(until: datetime) -> datetime:
    """The first minute that is not counted; without counted ones that of the oldest task."""
    earliest = until - CATCH_UP
    newest = newest_counted(Resolution.MINUTE)
    if newest is not None:
        return max(newest + MINUTE, earliest)
    ended = GenerationTask.objects.filter(finished_at__gte=earliest).order_by("finished_at")
    oldest = ended.values_list("finished_at", flat=True).first()
    return minute_of(oldest) if oldest else until - MINUTE


def newest_counted(resolution: Resolution) -> datetime | None:
    rows = Rollup.objects.filter(resolution=resolution, is_counted=True).order_by("-start")
    return rows.values_list("start", flat=True).first()


def count_minutes(start: datetime, stop: datetime) -> None:
    """Write the minutes in which tasks ended, and the last one: the next call begins after it."""
    tasks = (
        GenerationTask.objects.filter(finished_at__gte=start, finished_at__lt=stop)
        .order_by("finished_at")
        .values_list(*ENDED_FIELDS)
    )
    rows = [
        counted_minute(minute, list(ended))
        for minute, ended in groupby(tasks.iterator(), key=lambda task: minute_of(task[0]))
    ]
    last = stop - MINUTE
    if not rows or rows[-1].start != last:
        rows.append(counted_minute(last, []))
    write(rows, COUNTS)


def counted_minute(start: datetime, tasks: Sequence[tuple[Any, ...]]) -> Rollup:
    counts: Counter[tuple[str, ...]] = Counter()
    pictures: Counter[tuple[str, ...]] = Counter()
    durations: defaultdict[str, list[float]] = defaultdict(list)
    for _at, model, status, code, step, images, waited, ran, measured in tasks:
        is_complete = status == TaskStatus.COMPLETED
        key = (model, status, code, "" if is_complete else step)
        counts[key] += 1
        if is_complete:
            pictures[key] += images
            durations["wait"].append(waited or 0.0)
            durations["run"].append(ran)
            for name, seconds in measured.items():
                durations[name].append(seconds)
    return Rollup(
        resolution=Resolution.MINUTE,
        start=start,
        is_counted=True,
        ended=[[*key, count, pictures[key]] for key, count in sorted(counts.items())],
        durations={name: histogram_of(each) for name, each in durations.items()},
    )


def roll_up_hours(until: datetime) -> None:
    """Write the hours whose minutes are counted, as all before `until` are."""
    minutes = Rollup.objects.filter(resolution=Resolution.MINUTE)
    newest = newest_counted(Resolution.HOUR)
    first = newest + HOUR if newest else None
    earliest = minutes.order_by("start").values_list("start", flat=True).first()
    if earliest is None:
        return
    start = hour_of(earliest) if first is None else max(first, hour_of(earliest))
    if start + HOUR > until:
        return
    due = minutes.filter(start__gte=start, start__lt=hour_of(until)).order_by("start")
    hours = groupby(due.iterator(), key=lambda row: hour_of(row.start))
    write([hour_from(start, list(rows)) for start, rows in hours], (*COUNTS, *SAMPLES))


def hour_from(start: datetime, minutes: Sequence[Rollup]) -> Rollup:
    names = {name for minute in minutes for name in minute.durations}
    return Rollup(
        resolution=Resolution.HOUR,
        start=start,
        is_counted=True,
        queued_most=most(minute.queued_most for minute in minutes),
        oldest_wait_most=most(minute.oldest_wait_most for minute in minutes),
        ended=added_counts(minute.ended for minute in minutes),
        durations={
            name: added(minute.durations.get(name, {}) for minute in minutes)
            for name in sorted(names)
        },
    )


def most(samples: Iterable[Any]) -> Any:
    return max((sample for sample in samples if sample is not None), default=None)


def added_counts(ended: Iterable[list[list[Any]]]) -> list[list[Any]]:
    """The counts of several periods in one."""
    totals: dict[tuple[str, ...], list[int]] = {}
    for rows in ended:
        for *key, tasks, pictures in rows:
            total = totals.setdefault(tuple(key), [0, 0])
            total[0] += tasks
            total[1] += pictures
    return [[*key, *total] for key, total in sorted(totals.items())]


def write(rows: Sequence[Rollup], fields: Sequence[str]) -> None:
    """Insert the rows; another worker's count of the same minutes is the same."""
    Rollup.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["resolution", "start"],
        update_fields=fields,
    )


def delete_old_rollups(*, now: datetime) -> None:
    for resolution, kept in ((Resolution.MINUTE, MINUTES_KEPT), (Resolution.HOUR, HOURS_KEPT)):
        Rollup.objects.filter(resolution=resolution, start__lt=now - kept).delete()
