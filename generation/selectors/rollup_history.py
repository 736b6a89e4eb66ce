"""Figures of the last hour, day, week or month, from the rollups that workers write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from generation.choices import Resolution, TaskStatus
from generation.histograms import Histogram, added, quantile
from generation.models import Rollup

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRange:
    """A range that can be chosen; `point` and `bar` are the widths of what its charts show."""

    span: timedelta
    point: timedelta
    bar: timedelta


RANGES = {
    "1h": HistoryRange(span=HOUR, point=timedelta(minutes=1), bar=timedelta(minutes=5)),
    "24h": HistoryRange(span=DAY, point=timedelta(minutes=10), bar=HOUR),
    "7d": HistoryRange(span=7 * DAY, point=HOUR, bar=6 * HOUR),
    "30d": HistoryRange(span=30 * DAY, point=4 * HOUR, bar=DAY),
}


@dataclass(frozen=True, slots=True)
class QueuePoint:
    """The most of a short time; None if no worker noted it."""

    start: datetime
    queued: int | None = None
    oldest_wait: float | None = None


@dataclass(slots=True)
class EndedBar:
    """Tasks that ended in a period; the last one is not over."""

    start: datetime
    completed: int = 0
    failed: int = 0
    cancelled: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Figures since the time `since`; `counted_until`: later tasks are not counted yet."""

    since: datetime
    counted_until: datetime | None
    points: list[QueuePoint]
    bars: list[EndedBar]
    durations: dict[str, Histogram] = field(default_factory=dict)
    """By `wait`, `run` or step."""
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By step and error code."""
    pictures: int = 0

    def count(self, status: TaskStatus) -> int:
        return sum(int(getattr(bar, status.value)) for bar in self.bars)

    @property
    def completed(self) -> int:
        return self.count(TaskStatus.COMPLETED)

    @property
    def failed(self) -> int:
        return self.count(TaskStatus.FAILED)

    @property
    def ended(self) -> int:
        """Without those that were cancelled."""
        return self.completed + self.failed

    @property
    def failure_rate(self) -> float | None:
        """Share of failed tasks, without those that were cancelled."""
        return self.failed / self.ended if self.ended else None

    def quantile(self, name: str, share: float) -> float | None:
        return quantile(self.durations.get(name, {}), share)


def history(name: str, *, now: datetime) -> History:
    """The figures of one of RANGES; as many rows are read as it has periods, and no task."""
    chosen = RANGES[name]
    count = chosen.span // chosen.bar
    since = floor(now, chosen.bar) - (count - 1) * chosen.bar
    bars = [EndedBar(since + number * chosen.bar) for number in range(count)]
    rows = periods(since, now, by_hour=chosen.span > HOUR)
    failures: Counter[tuple[str, str]] = Counter()
    pictures = 0
    for row in rows:
        bar = bars[min(count - 1, (row.start - since) // chosen.bar)]
        for _model, status, code, step, tasks, drawn in row.ended:
            setattr(bar, status, getattr(bar, status) + tasks)
            pictures += drawn
            if status == TaskStatus.FAILED:
                failures[step, code] += tasks
    names = {each for row in rows for each in row.durations}
    return History(
        since=since,
        counted_until=counted_until(),
        points=queue_points(chosen, since, now),
        bars=bars,
        durations={each: added(row.durations.get(each, {}) for row in rows) for each in names},
        failures=failures,
        pictures=pictures,
    )


def floor(moment: datetime, step: timedelta) -> datetime:
    """The last multiple of `step` before `moment`; days begin at midnight of the site's zone."""
    local = timezone.localtime(moment)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (local - midnight) // step * step


def periods(since: datetime, until: datetime, *, by_hour: bool) -> list[Rollup]:
    """Hours, and the minutes after the last of them; without `by_hour` minutes alone."""
    rows = Rollup.objects.filter(start__lt=until).order_by("start")
    hours = list(rows.filter(resolution=Resolution.HOUR, start__gte=since)) if by_hour else []
    rest = hours[-1].start + HOUR if hours else since
    return [*hours, *rows.filter(resolution=Resolution.MINUTE, start__gte=rest)]


def counted_until() -> datetime | None:
    counted = Rollup.objects.filter(resolution=Resolution.MINUTE, is_counted=True)
    newest = counted.order_by("-start").values_list("start", flat=True).first()
    return newest + timedelta(minutes=1) if newest else None


def queue_points(chosen: HistoryRange, since: datetime, now: datetime) -> list[QueuePoint]:
    """One for each `point` of the range, also where nothing was noted."""
    samples = list(read_samples(since, now, by_hour=chosen.point >= HOUR))
    count = (now - since) // chosen.point + 1
    points = [QueuePoint(since + number * chosen.point) for number in range(count)]
    for start, queued, oldest in samples:
        number = min(count - 1, (start - since) // chosen.point)
        point = points[number]
        points[number] = QueuePoint(
            point.start, most(point.queued, queued), most(point.oldest_wait, oldest)
        )
    return points


Sample = tuple[datetime, int | None, float | None]


def read_samples(since: datetime, until: datetime, *, by_hour: bool) -> Iterable[Sample]:
    rows = Rollup.objects.filter(start__lt=until).order_by("start")
    columns = rows.values_list("start", "queued_most", "oldest_wait_most")
    hours: Sequence[Sample] = (
        list(columns.filter(resolution=Resolution.HOUR, start__gte=since)) if by_hour else []
    )
    rest = hours[-1][0] + HOUR if hours else since
    return [*hours, *columns.filter(resolution=Resolution.MINUTE, start__gte=rest)]


def most(first: Any, second: Any) -> Any:
    if first is None or second is None:
        return second if first is None else first
    return max(first, second)
