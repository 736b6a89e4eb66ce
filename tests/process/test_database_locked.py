"""Another process holds SQLite's write lock."""

from __future__ import annotations

import contextlib
import sqlite3
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from tests.demo_faults import FAST, SLOW, SOME_SECONDS, fault_file
from tests.studio import Studio, readyz, wait_until

A_WHILE = 7.0
"""Seconds; longer than a process with visitors waits for another writer."""


@contextlib.contextmanager
def locked(studio: Studio) -> Iterator[None]:
    with sqlite3.connect(studio.data_dir / "db.sqlite3", timeout=20) as database:
        database.isolation_level = None
        database.execute("begin immediate")
        yield
        database.execute("rollback")


def test_a_database_that_is_locked_for_a_while_costs_time_and_nothing_else(tmp_path: Path) -> None:
    faults = fault_file(tmp_path, SLOW)
    studio = Studio(tmp_path / "data", DEMO_SPEED=str(FAST), DEMO_FAULTS=faults).start()
    try:
        with studio.connect(studio.token()) as watcher:
            task_id = watcher.generate(**SOME_SECONDS)
            watcher.until(lambda message: message.get("kind") == "progressed")

            with locked(studio):
                time.sleep(A_WHILE)

            result = watcher.until_type("result", "error", "cancelled")
            seqs = [event["seq"] for event in watcher.events(task_id)]
    finally:
        studio.stop()
    assert (result["type"], result["attempt"]) == ("result", 1)
    assert seqs == list(range(1, result["seq"] + 1))


class WebAlone(Studio):
    """Without the embedded worker, whose writes would wait for the lock before ours."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir, EMBEDDED_WORKER="0")

    def is_ready(self) -> bool:
        try:
            return readyz(self.url)[0] == 200
        except OSError:
            return False

    def database(self) -> str:
        """The word of `/readyz` for it."""
        return str(readyz(self.url)[1]["database"])


def test_a_prompt_that_a_locked_database_refused_can_be_sent_again(tmp_path: Path) -> None:
    message = {"action": "generate", "prompt": "LiuJuan", "size": "256x256"}
    message["request_key"] = str(uuid.uuid4())
    web = WebAlone(tmp_path / "data")
    web.start()
    try:
        with web.connect(web.token()) as watcher:
            watcher.until_type("hello")
            with locked(web):
                watcher.send(**message)
                wait_until(lambda: web.database() == "locked", what="it tells the probe")
                refused = watcher.until_type("ack", "error")
            wait_until(lambda: web.database() == "ok", what="the probe sees the end")
            watcher.send(**message)
            accepted = watcher.until_type("ack", "error")
            watcher.send(**message)
            repeated = watcher.until_type("ack", "error")
    finally:
        web.stop()
    assert (refused["code"], refused["request_key"]) == ("unavailable", message["request_key"])
    assert (accepted["type"], accepted["duplicate"]) == ("ack", False)
    assert (repeated["task_id"], repeated["duplicate"]) == (accepted["task_id"], True)
    with sqlite3.connect(tmp_path / "data" / "db.sqlite3") as database:
        query = "select count(*), min(newest_seq) from generation_generationtask"
        assert database.execute(query).fetchone() == (1, 1)
