"""PostgreSQL restarts, or the disk is full, during a task."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from websockets.exceptions import ConnectionClosed

from generation.protocol.close_codes import CloseCode
from tests.demo_faults import SLOW, SOME_SECONDS
from tests.process.follower import Follower
from tests.production import Production
from tests.programs import Program, RunWorker, Web
from tests.studio import Watcher, readyz, wait_until

SOME_TRIES = 6.0
"""Seconds; the loops of a worker and of a web try several times within them."""

FEW_BYTES = 8 * 1024
# a worker may be without its database for two thirds of the lease
SITE: dict[str, Any] = {"faults": [SLOW], "GENERATION_LEASE": "60", "GENERATION_STALL": "30"}


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_database_restart_loses_nothing(whole: Production, person: str, mode: str) -> None:
    """`fast` says goodbye to its connections; `immediate` is a crash."""
    with Follower(whole, person) as follower:
        drawn = follower.generate("in the middle", **SOME_SECONDS)
        waiting = follower.generate("in line", size="256x256")
        follower.until(drawn, "progressed")

        whole.postgres.stop(mode)
        # an answer of the probe is kept for a moment
        wait_until(lambda: status_of(whole.webs[0]) == 503, what="the probe notices")
        asked = follower.ask("while it is away", size="256x256")
        whole.postgres.start()

        wait_until(lambda: asked in follower.accepted, what="the prompt is accepted after all")
        for task_id in (drawn, waiting, follower.accepted[asked]):
            last = follower.until_over(task_id)
            assert (last["kind"], last["attempt"]) == ("completed", 1)

    assert set(follower.codes) <= {CloseCode.LEAVING}
    assert set(follower.refusals) <= {"unavailable"}
    assert all(worker.alive for worker in whole.workers)
    same = "select count(*) from generation_generationtask where request_key = %s"
    assert whole.query(same, asked) == [(1,)]


def test_attaching_without_a_database_asks_to_reconnect(whole: Production, person: str) -> None:
    with whole.connect(person) as watcher:
        task_id = watcher.generate("LiuJuan", size="256x256")
        watcher.until(lambda message: message.get("kind") == "completed")
        whole.postgres.stop("fast")
        try:
            watcher.send(action="attach", task_id=task_id, after=0)
            code = close_code(watcher)
        finally:
            whole.postgres.start()

    assert code == CloseCode.LEAVING


def test_no_request_gets_an_ended_connection(whole: Production) -> None:
    assert status_of(whole.webs[0]) == 200

    # given up to 5 s each: all of them are over when this returns
    ended = whole.query(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
        "where pid != pg_backend_pid() and backend_type = 'client backend'"
    )

    assert len(ended) >= 2
    assert [status_of(whole.webs[0]) for _again in range(8)] == [200] * 8


def close_code(watcher: Watcher) -> int | None:
    """With which the web ends the connection; TimeoutError if it does not."""
    try:
        while True:
            watcher.receive()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


def status_of(web: Web) -> int:
    return readyz(web.url)[0]


def report_of_outage(web: Web) -> dict[str, Any] | None:
    status, report = readyz(web.url)
    return report if status == 503 else None


def test_a_full_disk_fails_the_task(whole: Production, person: str) -> None:
    media = Path(whole.env["DATA_DIR"]) / "media"
    with Follower(whole, person) as follower, full_disk(whole, media) as make_space:
        task_id = follower.generate(size="512x512", steps=4)
        last = follower.until_over(task_id)
        kept = files_of(media, task_id)
        make_space()

        again = follower.retry(task_id)

        assert follower.until_over(again)["kind"] == "completed"
        assert any(name.endswith(".jpg") for name in files_of(media, again))
    assert (last["type"], last["code"], last["attempt"]) == ("error", "storage_failed", 1)
    assert kept == []
    rows = "select count(*) from generation_generatedimage where task_id = %s"
    assert whole.query(rows, task_id) == [(0,)]


def files_of(media: Path, task_id: str) -> list[str]:
    """Every name below the task's folder, also temporary ones."""
    folder = media / task_id
    return [path.name for path in folder.iterdir()] if folder.exists() else []


def full_disk(
    site: Production, media: Path
) -> contextlib.AbstractContextManager[Callable[[], None]]:
    """No room for a whole picture below `media`; the value makes room again.

    A file system of its own where we may mount one, else a limit on the size of the worker's files.
    """
    media.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={FEW_BYTES}", "liujuan-test", str(media)]
    if subprocess.run(mount, capture_output=True).returncode == 0:
        return small_file_system(media)
    return short_files(site.workers[0])


@contextlib.contextmanager
def small_file_system(media: Path) -> Iterator[Callable[[], None]]:
    def make_space() -> None:
        subprocess.run(["mount", "-o", "remount,size=16m", str(media)], check=True)

    try:
        yield make_space
    finally:
        subprocess.run(["umount", "--lazy", str(media)], check=True)


@contextlib.contextmanager
def short_files(worker: RunWorker) -> Iterator[Callable[[], None]]:
    assert worker.process is not None
    pid = worker.process.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)

    def make_space() -> None:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))

    resource.prlimit(pid, resource.RLIMIT_FSIZE, (FEW_BYTES, hard))
    try:
        yield make_space
    finally:
        make_space()


def has_it_back(program: Program) -> bool:
    return program.output().count("database_down ") == program.output().count("database_back ")


def test_a_database_that_is_away_is_two_lines_in_each_log(whole: Production) -> None:
    programs = [*whole.webs, *whole.workers]
    for program in programs:
        # a worker notices with its next heartbeat that an earlier outage is over
        wait_until(partial(has_it_back, program), what="the outage before is over")
    before = {program.name: len(program.output()) for program in programs}

    def since(program: Program) -> str:
        return program.output()[before[program.name] :]

    def says(program: Program, event: str) -> bool:
        return event in since(program)

    whole.postgres.stop("fast")
    try:
        for program in programs:
            wait_until(partial(says, program, "database_down"), what="the log says down")
        # an answer of the probe is kept for a moment
        report = wait_until(partial(report_of_outage, whole.webs[0]), what="the probe notices")
        time.sleep(SOME_TRIES)
    finally:
        whole.postgres.start()
    for program in programs:
        wait_until(partial(says, program, "database_back"), what="the log says back")

    assert report["database"] == "down"
    for program in programs:
        events = [line.split()[4] for line in since(program).splitlines()]
        assert events.count("database_down") == events.count("database_back") == 1
        assert len(events) <= 4, since(program)


def test_a_database_that_takes_no_writes_is_named(whole: Production) -> None:
    def read_only(word: str) -> None:
        may_write = "-c default_transaction_read_only=off"
        with psycopg.connect(whole.postgres.url, autocommit=True, options=may_write) as operator:
            operator.execute(f"alter database postgres set default_transaction_read_only = {word}")
            operator.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where pid != pg_backend_pid() and backend_type = 'client backend'"
            )

    read_only("on")
    try:
        wait_until(lambda: whole.webs[0].readyz()["database"] == "read_only", what="it is named")
        status = status_of(whole.webs[0])
    finally:
        read_only("off")

    assert status == 503
