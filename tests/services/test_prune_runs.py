"""The nightly run: when it begins, who continues it, what it counts, and what it would delete."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from functools import partial
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from pytest_django import Settings

from generation import selectors, services
from generation.choices import RetentionKind
from generation.models import GeneratedImage, GenerationTask, PruneRun, RetentionRule, Worker
from generation.selectors import ReportLine
from generation.services.prune_runs import LEASE, MOST_FAILED
from tests.concurrency import at_once
from tests.factories import finished_task, put_in_trash
from tests.services.old_tasks import AGE, drawn_task

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("media", "model")]

ONE, OTHER = uuid.uuid4(), uuid.uuid4()
DAY = timedelta(days=1)


@pytest.fixture
def night(settings: Settings) -> datetime:
    """03:00 in Shanghai, where the run begins at three."""
    settings.TIME_ZONE, settings.PRUNE_HOUR = "Asia/Shanghai", 3
    return datetime(2026, 5, 4, 3, tzinfo=ZoneInfo("Asia/Shanghai"))


def run_all(now: datetime, worker: uuid.UUID = ONE) -> PruneRun:
    run = services.take_run(worker_id=worker, now=now)
    assert run is not None
    while services.continue_run(run.pk, worker_id=worker, now=now):
        pass
    run.refresh_from_db()
    return run


def test_it_begins_at_its_hour_once_a_day(night: datetime) -> None:
    assert services.take_run(worker_id=ONE, now=night - timedelta(seconds=1)) is None

    run = run_all(night)

    assert (run.day, run.finished_at) == (night.date(), night)
    assert services.take_run(worker_id=ONE, now=night + timedelta(hours=20)) is None
    assert services.take_run(worker_id=ONE, now=night + DAY) is not None


def test_a_missed_hour_is_made_up_for(night: datetime) -> None:
    assert services.take_run(worker_id=ONE, now=night + timedelta(hours=12)) is not None


def test_one_worker_does_it(night: datetime) -> None:
    takes = [partial(services.take_run, worker_id=each, now=night) for each in (ONE, OTHER)]
    runs = at_once(*takes)

    assert sum(run is not None for run in runs) == 1
    assert PruneRun.objects.count() == 1


def test_it_counts_what_it_does(alice: User, night: datetime, settings: Settings) -> None:
    settings.RETENTION_PROMPTS = settings.RETENTION_LOGS = settings.RETENTION_PICTURES = 30
    task = finished_task(alice, night - AGE, pictures=2)
    finished_task(alice, night)

    run = run_all(night)

    assert (run.prompts, run.logs, run.pictures) == (1, 1, 2)
    assert run.bytes == sum(each.bytes for each in task.images.all())
    task.refresh_from_db()
    assert (task.prompt, task.deleted_at) == ("", night)


def test_a_picture_that_cannot_be_written_stops_nothing_else(
    media: Path, alice: User, worker: Worker, night: datetime, settings: Settings
) -> None:
    settings.RETENTION_PROMPTS = settings.RETENTION_PICTURES = 30
    damaged = [drawn_task(alice, worker, night - AGE) for _each in range(11)]
    for each in damaged:
        (media / each.images.get().file).write_bytes(b"\xff\xd8\xff\xe0")
    finished_task(alice, night - AGE, pictures=0)

    run = run_all(night)

    assert (run.prompts, run.pictures) == (1, 11)
    assert set(run.failed) == {str(each.pk) for each in damaged}
    assert len(run.failed) == 11


def test_a_run_does_not_fail_for_ever(alice: User, night: datetime, settings: Settings) -> None:
    """A full disk is emptied by the kinds that come after the prompts."""
    settings.RETENTION_PROMPTS = settings.RETENTION_LOGS = 30
    finished_task(alice, night - AGE, pictures=0)
    failed = [str(uuid.uuid4()) for _each in range(MOST_FAILED)]
    PruneRun.objects.create(day=night.date(), started_at=night, failed=failed)

    run = run_all(night)

    assert (run.prompts, run.logs, run.failed) == (0, 1, failed)


def test_another_worker_continues_after_the_lease(
    alice: User, night: datetime, settings: Settings
) -> None:
    settings.RETENTION_PROMPTS = 30
    for _each in range(11):
        finished_task(alice, night - AGE, pictures=0)
    run = services.take_run(worker_id=ONE, now=night)
    assert run is not None
    assert services.continue_run(run.pk, worker_id=ONE, now=night)

    assert services.take_run(worker_id=OTHER, now=night + LEASE) is None
    later = night + LEASE + timedelta(seconds=1)
    assert not services.continue_run(run.pk, worker_id=ONE, now=later)
    assert run_all(later, OTHER).prompts == 11


def test_it_ends_although_more_becomes_due(
    alice: User, night: datetime, settings: Settings
) -> None:
    settings.RETENTION_PROMPTS = 30
    run = services.take_run(worker_id=ONE, now=night)
    assert run is not None
    task = finished_task(alice, night - 30 * DAY, pictures=0)

    assert services.continue_run(run.pk, worker_id=ONE, now=night + timedelta(minutes=1))

    task.refresh_from_db()
    assert task.prompt != ""


def test_old_runs_are_forgotten(night: datetime) -> None:
    run_all(night - 101 * DAY)
    run_all(night)

    assert [run.day for run in PruneRun.objects.all()] == [night.date()]


def line_of(now: datetime, kind: RetentionKind, days: int | None) -> ReportLine:
    report = selectors.prune_report(now=now)
    (line,) = [each for each in report.lines if (each.kind, each.days) == (kind, days)]
    return line


def test_the_report_says_what_a_run_deletes(
    alice: User, bob: User, now: datetime, settings: Settings
) -> None:
    settings.RETENTION_PROMPTS = settings.RETENTION_LOGS = settings.RETENTION_PICTURES = 30
    RetentionRule.objects.create(user=bob, kind=RetentionKind.PICTURES, days=None)
    old = finished_task(alice, now - AGE, pictures=2)
    finished_task(alice, now, pictures=1)
    finished_task(bob, now - AGE, pictures=3)
    gone = finished_task(bob, now - AGE)
    put_in_trash(bob, now - 2 * DAY, tasks=[gone])

    prompts = line_of(now, RetentionKind.PROMPTS, 30)
    logs = line_of(now, RetentionKind.LOGS, 30)
    pictures = line_of(now, RetentionKind.PICTURES, 30)
    trash = line_of(now, RetentionKind.TRASH, 1)

    assert (prompts.users, prompts.tasks, prompts.oldest) == (2, 3, now - AGE)
    assert (logs.tasks, logs.events) == (3, 3)
    assert (pictures.users, pictures.pictures) == (1, 2)
    assert pictures.bytes == sum(each.bytes for each in old.images.all())
    assert (trash.tasks, trash.pictures, trash.oldest) == (1, 0, now - 2 * DAY)
    assert line_of(now, RetentionKind.PICTURES, None).rows == 0
    assert GenerationTask.objects.exclude(prompt="").count() == 4


def test_the_report_stops_counting(alice: User, now: datetime) -> None:
    line = ReportLine(kind=RetentionKind.PROMPTS, days=30, tasks=9_998)
    for _each in range(3):
        finished_task(alice, now - AGE, pictures=0)

    line.add(GenerationTask.objects.all(), "tasks", "finished_at")

    assert (line.tasks, line.is_least) == (10_000, True)


def prune(*arguments: str) -> str:
    output = StringIO()
    call_command("prune", *arguments, stdout=output)
    return output.getvalue()


def test_the_command_obeys_retention(alice: User, now: datetime, settings: Settings) -> None:
    settings.RETENTION_PICTURES = 30
    finished_task(alice, now - AGE)

    assert "pictures, 30 days, users: 1: tasks: 0, events: 0, pictures: 1" in prune()
    assert GeneratedImage.objects.filter(deleted_at=None).exists()

    assert "pictures moved to the trash: 1" in prune("--yes")
    assert not GeneratedImage.objects.filter(deleted_at=None).exists()
