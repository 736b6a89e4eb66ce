"""Two real Xinference with the same model: one choice, the slots of both, and the death of one."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.real_xinference.server import RealServer, below
from tests.studio import Studio, Watcher, wait_until

pytestmark = pytest.mark.real

LONG: dict[str, Any] = {"size": "512x512", "steps": 40}
PATIENCE = 300.0

SERVERS = """
select server.name from generation_modelslot slot
join generation_modelinstance instance on instance.id = slot.instance_id
join generation_modelserver server on server.id = instance.server_id
where slot.task_id = ? and slot.request_id is not null
"""


@pytest.fixture
def studio(
    real_server: RealServer, second_server: RealServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Studio]:
    studio = Studio(
        tmp_path_factory.mktemp("studio"),
        XINFERENCE_URLS=f"first={real_server.url},second={second_server.url}",
        XINFERENCE_MODEL=real_server.model,
    )
    studio.start()
    wait_until(
        lambda: rows(studio, "select ready from generation_modelinstance") == [(1,)] * 2,
        what="both are ready",
    )
    yield studio
    studio.stop()


def test_a_cancel_stops_the_call_at_its_server(studio: Studio, watcher: Watcher) -> None:
    tasks = [watcher.generate(**LONG) for _each in range(2)]
    servers = {task_id: server_of(studio, task_id) for task_id in tasks}
    for task_id in tasks:
        until_drawn(watcher, task_id)

    cancelled, left = tasks
    watcher.send(action="cancel", task_id=cancelled)

    assert set(servers.values()) == {"first", "second"}
    assert until_over(watcher, cancelled)["type"] == "cancelled"
    assert until_over(watcher, left)["type"] == "result"


def test_tasks_of_a_killed_server_end_at_the_other(
    studio: Studio, watcher: Watcher, second_server: RealServer
) -> None:
    tasks = [watcher.generate(**LONG) for _each in range(2)]
    servers = {server_of(studio, task_id): task_id for task_id in tasks}
    for task_id in tasks:
        until_drawn(watcher, task_id)

    for pid in below(second_server.runner):
        os.kill(pid, signal.SIGKILL)

    ends = {server: until_over(watcher, task_id) for server, task_id in servers.items()}
    assert {server: end["type"] for server, end in ends.items()} == {
        "first": "result",
        "second": "result",
    }
    assert (ends["first"]["attempt"], ends["second"]["attempt"]) == (1, 2)
    (name,) = rows(studio, "select name from generation_modelstate where ready")[0]
    assert name == second_server.model


def until_drawn(watcher: Watcher, task_id: str) -> None:
    if not any(event["kind"] == "progressed" for event in watcher.events(task_id)):
        watcher.until(
            lambda m: m.get("task_id") == task_id and m.get("kind") == "progressed",
            seconds=PATIENCE,
        )


def until_over(watcher: Watcher, task_id: str) -> dict[str, object]:
    """The final frame of a task, which may have come before."""
    final = {"result", "error", "cancelled"}
    for message in watcher.messages:
        if message.get("task_id") == task_id and message["type"] in final:
            return message
    return watcher.until(
        lambda m: m.get("task_id") == task_id and m["type"] in final, seconds=PATIENCE
    )


def server_of(studio: Studio, task_id: str) -> str:
    """The name of the server that has the call of a task, once there is one."""
    ((name,),) = wait_until(
        lambda: rows(studio, SERVERS, task_id.replace("-", "")),
        what="a server draws it",
        seconds=PATIENCE,
    )
    return str(name)


def rows(studio: Studio, sql: str, *values: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(studio.data_dir / "db.sqlite3", timeout=20)) as database:
        return database.execute(sql, values).fetchall()
