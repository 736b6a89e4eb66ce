"""The real program: killed, stopped, and with clients that do not read."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.contract.demo_process import children_of, is_running
from tests.demo_faults import FAST, SLOW, SOME_SECONDS, fault_file
from tests.studio import Studio, Watcher, wait_until


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Studio]:
    """A studio that may be killed."""
    yield from running(tmp_path / "data")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio that no test kills."""
    yield from running(tmp_path_factory.mktemp("living") / "data")


def running(data_dir: Path) -> Iterator[Studio]:
    faults = fault_file(data_dir.parent, SLOW)
    studio = Studio(
        data_dir, DEMO_SPEED=str(FAST), DEMO_FAULTS=faults, GENERATION_GRACE="0.2"
    ).start()
    yield studio
    studio.stop()


def test_it_prints_its_url_and_protects_the_password(studio: Studio) -> None:
    assert studio.printed["URL"] == f"http://localhost:{studio.port}/"
    assert httpx.get(studio.printed["URL"] + "healthz").status_code == 200
    assert studio.printed["Name"] == "studio"
    assert "demo model" in studio.printed["Model"]
    password = studio.data_dir / "password"
    assert password.read_text().strip() == studio.printed["Password"]
    # the log is the test's own; static files are no secret, and lie in a closed folder
    static = studio.data_dir / "static"
    written = {*studio.data_dir.rglob("*"), studio.data_dir} - {studio.log, static}
    written -= set(static.rglob("*"))
    assert {path for path in written if stat.S_IMODE(path.stat().st_mode) & 0o077} == set()
    assert {"db.sqlite3", "db.sqlite3-wal"} <= {path.name for path in written}


def test_a_task_survives_the_death_of_everything(mortal: Studio) -> None:
    token = mortal.token()
    with mortal.connect(token) as watcher:
        task_id = watcher.generate(**SOME_SECONDS)
        watcher.until(lambda message: message.get("kind") == "progressed")
        mortal.kill()
    before = watcher.events(task_id)

    mortal.start()
    with mortal.connect(token) as again:
        hello = again.until_type("hello")
        assert [entry["task_id"] for entry in hello["active"]] == [task_id]
        again.send(action="attach", task_id=task_id, after=before[-1]["seq"])
        result = again.until_type("result", "error")

    assert result["type"] == "result"
    seqs = [event["seq"] for event in [*before, *again.events(task_id)]]
    assert seqs == list(range(1, result["seq"] + 1))
    lost = next(e for e in again.events(task_id) if e["kind"] == "interrupted")
    assert lost["details"]["reason"] == "lease_expired"
    assert again.fetch(result["data"]["data"][0]["url"]).startswith(b"\xff\xd8")


def test_a_polite_stop_closes_sockets_with_4503_and_hands_the_task_back(mortal: Studio) -> None:
    token = mortal.token()
    with mortal.connect(token) as watcher:
        task_id = watcher.generate(**SOME_SECONDS)
        watcher.until(lambda message: message.get("kind") == "progressed")

        status = mortal.signal(signal.SIGTERM)

        with pytest.raises(ConnectionClosed) as closed:
            read_to_the_end(watcher)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4503
    assert status == 0
    with sqlite3.connect(mortal.data_dir / "db.sqlite3") as database:
        query = "select kind, details from generation_taskevent order by seq desc limit 1"
        kind, details = database.execute(query).fetchone()
    assert (kind, json.loads(details)["reason"]) == ("interrupted", "handed_back")
    assert task_id


def read_to_the_end(watcher: Watcher) -> None:
    while True:
        watcher.receive()


def test_no_process_is_left_when_the_studio_is_killed(mortal: Studio) -> None:
    with mortal.connect(mortal.token()) as watcher:
        watcher.generate(**SOME_SECONDS)
        watcher.until(lambda message: message.get("kind") == "progressed")
        assert mortal.process is not None
        painters = children_of(mortal.process.pid)
        assert painters

        mortal.kill()

    wait_until(lambda: not any(map(is_running, painters)), what="the painters end", seconds=10)


def test_a_client_that_never_reads_costs_little(studio: Studio) -> None:
    """Its sender waits; what it missed is in the log, not in memory."""
    token = studio.token()
    with studio.connect(token) as watcher:
        task_id = watcher.generate(size="256x256")
        watcher.until_type("result")
        lengthen_log(studio, task_id, events=3_000)
        read_log(watcher, task_id, times=5)
        assert studio.process is not None
        alone = resident_kib(studio.process.pid)
        stalled = [stalled_socket(studio, token) for _each in range(3)]
        ask_and_read(stalled, watcher, task_id, times=5)
        beside = resident_kib(studio.process.pid)

        ask_and_read(stalled, watcher, task_id, times=20)
        grown = resident_kib(studio.process.pid) - beside

        for each in stalled:
            each.close()
    # what they asked for meanwhile has tens of MiB
    assert beside - alone < 12 * 1024
    assert grown < 2 * 1024


def ask_and_read(
    stalled: list[socket.socket], watcher: Watcher, task_id: str, *, times: int
) -> None:
    """A reading client gets the same log many times, while the others are stalled."""
    request = json.dumps({"action": "attach", "task_id": task_id})
    for _each in range(times):
        for each in stalled:
            each.sendall(frame(request))
        read_log(watcher, task_id, times=1)


def read_log(watcher: Watcher, task_id: str, *, times: int) -> None:
    for _each in range(times):
        watcher.send(action="attach", task_id=task_id)
        assert watcher.until_type("live")["seq"] > 3_000


def lengthen_log(studio: Studio, task_id: str, *, events: int) -> None:
    """Append many events to a task, each with the frame of its first one."""
    key = task_id.replace("-", "")
    with sqlite3.connect(studio.data_dir / "db.sqlite3", timeout=20) as database:
        (newest,) = database.execute(
            "select newest_seq from generation_generationtask where id = ?", [key]
        ).fetchone()
        names = "kind, step, progress, attempt, details, frame, created_at, task_id"
        database.executemany(
            f"insert into generation_taskevent (seq, {names})"
            f" select ?, {names} from generation_taskevent where task_id = ? and seq = 1",
            [(newest + number, key) for number in range(1, events + 1)],
        )
        database.execute(
            "update generation_generationtask set newest_seq = ? where id = ?",
            [newest + events, key],
        )


def stalled_socket(studio: Studio, token: str) -> socket.socket:
    """A WebSocket whose receiving side is never read after the handshake."""
    plain = socket.create_connection(("127.0.0.1", studio.port))
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.sendall(
        (
            "GET /ws/generate HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Sec-WebSocket-Version: 13\r\nAuthorization: Bearer {token}\r\n\r\n"
        ).encode()
    )
    assert b"101" in plain.recv(64)
    return plain


def frame(text: str) -> bytes:
    """A masked text frame (mask 0) of at most 125 bytes."""
    data = text.encode()
    return struct.pack("!BB4x", 0x81, 0x80 | len(data)) + data


def resident_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


def target_of(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return "closed meanwhile"


def test_requests_leave_no_database_connection_open(studio: Studio) -> None:
    assert studio.process is not None
    files = Path(f"/proc/{studio.process.pid}/fd")

    def databases() -> int:
        return sum("sqlite3" in target_of(link) for link in files.iterdir())

    assert studio.is_ready()
    before = databases()
    for _each in range(40):
        assert studio.is_ready()

    assert databases() <= before + 4
