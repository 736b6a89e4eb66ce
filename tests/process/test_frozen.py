"""A worker is frozen, as a paused host does to its processes, and continues after its lease."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

from tests.demo_faults import SLOW, SOME_SECONDS
from tests.process.follower import Follower
from tests.process.worker_tasks import drawing_one_of
from tests.production import Production
from tests.studio import wait_until

SITE: dict[str, Any] = {
    "workers": 2,
    "replicas": 2,
    "faults": [SLOW],
    "GENERATION_LEASE": "12",
    "GENERATION_STALL": "120",
}

LOCK_TASK = "select 1 from generation_generationtask where id = %s for no key update"
WAITING_FOR = "select 1 from pg_stat_activity where %s = any(pg_blocking_pids(pid))"


def test_a_frozen_worker_writes_nothing_after_take_over(whole: Production, person: str) -> None:
    with Follower(whole, person) as follower:
        task_id = follower.generate(**SOME_SECONDS)
        follower.until(task_id, "progressed")
        frozen = drawing_one_of(whole, {task_id})
        assert frozen is not None

        frozen.freeze()
        try:
            last = follower.until_over(task_id)
        finally:
            frozen.thaw()

        # its own word that the attempt is not its any more
        wait_until(
            lambda: f"attempt_left task={task_id} attempt=1" in frozen.output(), what="it noticed"
        )
        # its file is there before its row is
        small = "select 1 from generation_generatedimage where task_id = %s and thumbnail != ''"
        wait_until(lambda: whole.query(small, task_id), what="the thumbnail is recorded")
        wait_until(lambda: orphans(whole, task_id) == set(), what="every file has its row")
    assert (last["kind"], last["seq"]) == ("completed", newest(whole, task_id))
    assert_taken_over(follower, last)
    images = "select count(*) from generation_generatedimage where task_id = %s"
    assert whole.query(images, task_id) == [(1,)]
    assert orphans(whole, task_id) == set()


def test_a_worker_frozen_within_a_transaction_keeps_no_lock(whole: Production, person: str) -> None:
    """The others would wait for it until it continues."""
    with Follower(whole, person) as follower:
        task_id = follower.generate(**SOME_SECONDS)
        follower.until(task_id, "progressed")
        frozen = drawing_one_of(whole, {task_id})
        assert frozen is not None

        with psycopg.connect(whole.postgres.url) as ours:
            ours.execute(LOCK_TASK, [task_id])
            wait_until(lambda: whole.query(WAITING_FOR, ours.info.backend_pid), what="it waits")
            frozen.freeze()
        # its statement has the lock now, and its next one never comes
        try:
            last = follower.until_over(task_id)
        finally:
            frozen.thaw()
    assert last["kind"] == "completed"
    assert_taken_over(follower, last)


def assert_taken_over(follower: Follower, last: dict[str, Any]) -> None:
    """The lease expired; on a busy machine it may expire again."""
    broken_off = follower.interruptions(last["task_id"])
    assert broken_off
    assert last["attempt"] == 1 + len(broken_off)
    expired = {"reason": "lease_expired", "counted": True, "stored": 0}
    assert [each for each in broken_off if each != expired] == []


def newest(site: Production, task_id: str) -> int:
    """The seq of the last event that the database has."""
    query = "select max(seq) from generation_taskevent where task_id = %s"
    seq: int = site.query(query, task_id)[0][0]
    return seq


def orphans(site: Production, task_id: str) -> set[str]:
    """Files of the task without a row, and temporary ones."""
    media = Path(site.env["DATA_DIR"]) / "media"
    found = {f"{task_id}/{path.name}" for path in (media / task_id).iterdir()}
    rows = "select file, thumbnail from generation_generatedimage where task_id = %s"
    return found - {name for row in site.query(rows, task_id) for name in row}
