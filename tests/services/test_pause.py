"""A copy of an installation pauses, and leaves running calls alone."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import partial
from io import StringIO
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from generation import installation_id, services
from generation.models import GenerationTask, Installation, ModelSlot, Worker
from generation.services import Claim, PauseLevel
from tests.factories import claim_one, kinds, submit

ALL, NONE = PauseLevel.ALL, PauseLevel.NONE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("model")]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """An installation's DATA_DIR; its database is the one of this test."""
    folder = tmp_path / "data"
    folder.mkdir()
    with living_in(folder):
        assert services.pause_level() == NONE
        yield folder


def living_in(folder: Path) -> AbstractContextManager[Any]:
    return override_settings(DATA_DIR=folder)


def empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


def under_way(alice: User, worker: Worker, now: datetime) -> Claim:
    """A call that has begun."""
    submit(alice, now)
    claim = claim_one(worker, now)
    request_id = installation_id.new_request_id()
    ModelSlot.objects.filter(pk=claim.slot_id).update(request_id=request_id)
    return claim


def test_the_first_start_claims_its_folder(alice: User, now: datetime, tmp_path: Path) -> None:
    submit(alice, now)

    with living_in(tmp_path):
        assert services.pause_level() == NONE
        assert services.pause_level() == NONE
        assert installation_id.read() == Installation.objects.get().key
        assert installation_id.path().stat().st_mode & 0o077 == 0


def test_a_start_that_was_cut_off_is_made_good_by_the_next_one(db: None, tmp_path: Path) -> None:
    Installation.objects.create(pk=1, key=uuid.uuid4())

    with living_in(tmp_path):
        assert services.pause_level() == NONE


def test_a_folder_keeps_its_first_database(home: Path) -> None:
    key = Installation.objects.get().key
    Installation.objects.all().delete()

    assert services.pause_level() == NONE
    assert Installation.objects.get().key == key


@pytest.mark.parametrize(
    "move",
    [
        lambda home: shutil.copytree(home, home.with_name("copy")),
        lambda home: empty(home.with_name("other host")),
        lambda home: (home / "installation").write_text("{"),
        lambda home: (home / "installation").write_text('{"id": "1", "file": 1}'),
        lambda home: (home / "installation").write_text("[]"),
    ],
    ids=["a copy of the folder", "another host", "half a file", "no id", "a list"],
)
def test_a_copy_waits_for_resume(home: Path, move: Callable[[Path], object]) -> None:
    before = Installation.objects.get().key
    place = move(home)
    with living_in(place if isinstance(place, Path) else home):
        assert services.pause_level() == ALL

        call_command("resume", stdout=StringIO())

        assert services.pause_level() == NONE
        assert Installation.objects.get().key != before


def test_a_folder_that_was_moved_is_no_copy(home: Path) -> None:
    with living_in(home.rename(home.with_name("moved"))):
        assert services.pause_level() == NONE


def test_resume_restarts_calls(home: Path, alice: User, worker: Worker, now: datetime) -> None:
    claim = under_way(alice, worker, now)
    with living_in(empty(home.with_name("copy"))):
        done = services.resume(now=now)

        assert (done.copy, done.calls) == (True, 1)
        task = GenerationTask.objects.get(pk=claim.task.pk)
        assert (task.status, task.failed_attempts) == ("queued", 0)
        assert kinds(task.pk)[-1] == "interrupted"
        assert claim_one(worker, now).task == task
        assert not services.resume(now=now).copy


def test_resume_ends_cancels(home: Path, alice: User, worker: Worker, now: datetime) -> None:
    claim = under_way(alice, worker, now)
    services.request_cancel(task_id=claim.task.pk, now=now)

    with living_in(empty(home.with_name("copy"))):
        services.resume(now=now)

    assert GenerationTask.objects.get(pk=claim.task.pk).status == "cancelled"
    assert not ModelSlot.objects.filter(task__isnull=False).exists()


def test_only_own_calls_are_ended(home: Path, alice: User, worker: Worker, now: datetime) -> None:
    later = now + timedelta(seconds=31)
    under_way(alice, worker, now)
    (own,) = services.take_over_expired(worker_id=worker.pk, now=later)
    with living_in(empty(home.with_name("another"))):
        installation_id.write(uuid.uuid4())
        ModelSlot.objects.update(request_id=installation_id.new_request_id())
    (foreign,) = services.take_over_expired(worker_id=worker.pk, now=later + timedelta(seconds=31))

    assert (own.ours, foreign.ours) == (True, False)


def test_pause_and_resume(home: Path, alice: User, worker: Worker, now: datetime) -> None:
    claim = under_way(alice, worker, now)

    call_command("pause", stdout=StringIO())
    assert services.pause_level() == PauseLevel.CLAIMS
    done = services.resume(now=now)

    assert services.pause_level() == NONE
    assert (done.copy, done.calls) == (False, 0)
    assert ModelSlot.objects.get().task == claim.task


@pytest.mark.parametrize("end", [services.end_pause, partial(services.resume, now=timezone.now())])
def test_a_pause_before_cloning_holds_everything(home: Path, end: Callable[[], object]) -> None:
    services.pause()
    call_command("pause", "--clone", stdout=StringIO())
    services.pause()

    assert services.pause_level() == ALL
    end()
    assert services.pause_level() == NONE


@pytest.mark.django_db(transaction=True)
def test_one_more_folder_beside_living_workers_is_no_copy(home: Path, worker: Worker) -> None:
    key, stop = Installation.objects.get().key, Event()

    def heartbeat() -> None:
        try:
            while not stop.wait(0.2):
                Worker.objects.filter(pk=worker.pk).update(last_seen=timezone.now())
        finally:
            connection.close()

    beating = Thread(target=heartbeat)
    beating.start()
    try:
        with living_in(empty(home.with_name("another host"))):
            assert services.pause_level() == ALL
            call_command("resume", stdout=StringIO())
            assert services.pause_level() == NONE
    finally:
        stop.set()
        beating.join()
    assert Installation.objects.get().key == key
    assert services.pause_level() == NONE
