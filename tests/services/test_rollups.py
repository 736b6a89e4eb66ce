"""Minutes and hours are counted once by any number of workers, and later after a gap."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median

import pytest
from django.contrib.auth.models import User

from generation import selectors, services
from generation.choices import Resolution
from generation.histograms import added, histogram_of, quantile
from generation.models import GenerationTask, Rollup
from tests.concurrency import at_once
from tests.factories import finished_task, submit

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def noon(now: datetime) -> datetime:
    return now.replace(hour=12, minute=0, second=0, microsecond=0)


def ended(
    owner: User, at: datetime, *, wait: float = 1, status: str = "completed", **measured: float
) -> None:
    task = finished_task(owner, at, status=status)
    GenerationTask.objects.filter(pk=task.pk).update(
        wait_seconds=wait, run_seconds=5, measured_durations=measured, step="decoding"
    )


def roll_up_all(now: datetime) -> None:
    while services.roll_up(now=now):
        pass


def counted(resolution: Resolution) -> dict[datetime, int]:
    rows = Rollup.objects.filter(resolution=resolution)
    return {row.start: sum(each[4] for each in row.ended) for row in rows if row.ended}


def test_quantiles_of_a_histogram_are_those_of_its_durations_to_within_a_tenth() -> None:
    durations = [0.02 * 1.07**n for n in range(150)]
    parts = [histogram_of(durations[:40]), histogram_of(durations[40:])]

    found = quantile(added(parts), 0.5)

    assert found == pytest.approx(median(durations), rel=0.1)
    assert quantile(added(parts), 0.95) == pytest.approx(durations[142], rel=0.1)
    assert quantile({}, 0.5) is None


def test_a_minute_is_counted_when_it_is_over(alice: User, noon: datetime, media: object) -> None:
    ended(alice, noon + 0.5 * MINUTE, wait=3, generating=2)
    ended(alice, noon + 0.9 * MINUTE, wait=3, generating=2)
    ended(alice, noon + 0.9 * MINUTE, status="failed")
    ended(alice, noon + 1.5 * MINUTE)

    roll_up_all(noon + MINUTE + timedelta(seconds=10))
    assert counted(Resolution.MINUTE) == {}
    roll_up_all(noon + MINUTE + timedelta(seconds=30))

    row = Rollup.objects.get(start=noon)
    model = GenerationTask.objects.values_list("model", flat=True)[0]
    assert row.ended == [
        [model, "completed", "", "", 2, 2],
        [model, "failed", "model_error", "decoding", 1, 0],
    ]
    assert quantile(row.durations["generating"], 0.5) == pytest.approx(2, rel=0.1)
    assert sum(row.durations["wait"].values()) == 2


def test_a_gap_is_counted_later_hour_by_hour(alice: User, noon: datetime, media: object) -> None:
    ended(alice, noon)
    roll_up_all(noon + 2 * MINUTE)
    ended(alice, noon + 3 * MINUTE)
    ended(alice, noon + 2 * HOUR + 3 * MINUTE)

    more = services.roll_up(now=noon + 3 * HOUR + 10 * MINUTE)
    roll_up_all(noon + 3 * HOUR + 10 * MINUTE)

    assert more
    assert counted(Resolution.MINUTE) == dict.fromkeys(
        (noon, noon + 3 * MINUTE, noon + 2 * HOUR + 3 * MINUTE), 1
    )
    assert counted(Resolution.HOUR) == {noon: 2, noon + 2 * HOUR: 1}


def test_a_gap_of_more_than_two_days_is_not_counted(
    alice: User, noon: datetime, media: object
) -> None:
    ended(alice, noon - 72 * HOUR)
    roll_up_all(noon - 72 * HOUR + 2 * MINUTE)
    ended(alice, noon - 60 * HOUR)
    ended(alice, noon - 40 * HOUR)

    roll_up_all(noon + MINUTE)

    assert noon - 60 * HOUR not in counted(Resolution.MINUTE)
    assert noon - 40 * HOUR in counted(Resolution.MINUTE)


@pytest.mark.django_db(transaction=True)
def test_workers_that_count_at_once_count_each_task_once(
    alice: User, noon: datetime, media: object
) -> None:
    for minute in range(0, 90, 7):
        ended(alice, noon + minute * MINUTE)

    at_once(*[lambda: roll_up_all(noon + 2 * HOUR + MINUTE)] * 4)

    assert sum(counted(Resolution.MINUTE).values()) == 13
    assert counted(Resolution.HOUR) == {noon: 9, noon + HOUR: 4}


@pytest.mark.django_db(transaction=True)
def test_workers_that_sample_at_once_keep_the_most(alice: User, noon: datetime) -> None:
    submit(alice, noon - 9 * MINUTE)
    submit(alice, noon)

    at_once(*[lambda: services.sample_queue(now=noon + MINUTE)] * 4)
    GenerationTask.objects.filter(created=noon).delete()
    services.sample_queue(now=noon + 1.5 * MINUTE)

    row = Rollup.objects.get()
    assert (row.queued_most, row.oldest_wait_most) == (2, 630)


def test_samples_stay_when_the_minute_is_counted_and_reach_the_hour(
    alice: User, noon: datetime
) -> None:
    submit(alice, noon)
    services.sample_queue(now=noon + 5 * MINUTE)
    roll_up_all(noon + 7 * MINUTE)

    roll_up_all(noon + HOUR + MINUTE)

    hour = Rollup.objects.get(resolution=Resolution.HOUR, start=noon)
    assert (hour.queued_most, hour.oldest_wait_most) == (1, 300)


def test_figures_of_a_clock_that_was_ahead_stop_no_counting(
    alice: User, noon: datetime, media: object
) -> None:
    services.sample_queue(now=noon + timedelta(days=30))
    roll_up_all(noon + timedelta(days=30))
    ended(alice, noon)

    roll_up_all(noon + HOUR + MINUTE)

    assert counted(Resolution.MINUTE) == counted(Resolution.HOUR) == {noon: 1}
    assert not Rollup.objects.filter(start__gt=noon + HOUR + MINUTE).exists()


def test_old_figures_are_deleted(noon: datetime) -> None:
    for resolution, days in (("minute", 1), ("minute", 3), ("hour", 3), ("hour", 41)):
        start = noon - timedelta(days=days)
        Rollup.objects.create(resolution=resolution, start=start)

    services.delete_old_rollups(now=noon)

    left = Rollup.objects.order_by("-start").values_list("resolution", "start")
    assert [(name, (noon - start).days) for name, start in left] == [("minute", 1), ("hour", 3)]


@pytest.mark.parametrize("name", list(selectors.RANGES))
def test_a_range_has_the_tasks_of_hours_and_minutes_once(
    alice: User, noon: datetime, media: object, name: str
) -> None:
    for minutes in (1, 8, 30, 80, 200):
        ended(alice, noon - minutes * MINUTE, wait=4)
    ended(alice, noon - 2 * MINUTE, status="failed")
    submit(alice, noon - 3 * MINUTE)
    services.sample_queue(now=noon - 2 * MINUTE)
    roll_up_all(noon + timedelta(seconds=25))

    past = selectors.history(name, now=noon + timedelta(seconds=25))

    within = 3 if name == "1h" else 5
    assert (past.completed, past.failed, past.pictures) == (within, 1, within)
    assert past.failures == {("decoding", "model_error"): 1}
    assert past.failure_rate == 1 / (within + 1)
    assert past.quantile("wait", 0.5) == pytest.approx(4, rel=0.1)
    assert max(point.queued or 0 for point in past.points) == 1
    assert past.counted_until == noon
