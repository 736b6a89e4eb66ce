"""Event streams of real processes: clients that disappear or stop reading, webs that stop."""

from __future__ import annotations

import json
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

import httpx
import pytest

from generation.sessions.stream import MAX_STREAMS
from tests.demo_faults import FAST
from tests.studio import PATIENCE, ROOT, Studio, free_port, session_of, wait_until

MIB = 1 << 20


class RawReader:
    """A connection that asks for a stream and is read only when the test wants to."""

    def __init__(self, port: int, path: str = "/events/", cookie: str = "") -> None:
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n"
        self.connection.sendall(request.encode())
        self.received = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.connection.close()

    def until(self, *words: bytes) -> bytes:
        """The first of `words` that comes."""
        while not any(word in self.received for word in words):
            data = self.connection.recv(65_536)
            assert data, f"the stream ended: {self.received[-500:]!r}"
            self.received += data
        return next(word for word in words if word in self.received)

    def vanish(self) -> None:
        """As if its machine had lost power just after a reset."""
        reset_at_once = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset_at_once)
        self.connection.close()


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    studio = Studio(tmp_path / "data", DEMO_SPEED=str(FAST)).start()
    yield studio
    studio.stop()


@pytest.fixture
def cookie(studio: Studio) -> str:
    with httpx.Client(base_url=studio.url, timeout=PATIENCE) as client:
        form = re.search(
            r'name="csrfmiddlewaretoken" value="(\w+)"', client.get("/accounts/sign-in/").text
        )
        assert form
        fields = {
            "login": studio.printed["Name"],
            "password": studio.printed["Password"],
            "csrfmiddlewaretoken": form[1],
        }
        client.post("/accounts/sign-in/", data=fields, headers={"Origin": studio.url})
        return session_of(client.cookies)


def test_readers_that_vanish_leave_room_for_others(studio: Studio, cookie: str) -> None:
    for vanish in (RawReader.vanish, lambda reader: reader.connection.close()):
        readers = [RawReader(studio.port, cookie=cookie) for _each in range(MAX_STREAMS)]
        for reader in readers:
            reader.until(b'"hello"')
        with RawReader(studio.port, cookie=cookie) as one_too_many:
            one_too_many.until(b"4429")
        for reader in readers:
            vanish(reader)

        def is_let_in() -> bool:
            with RawReader(studio.port, cookie=cookie) as next_one:
                return next_one.until(b'"hello"', b"4429") == b'"hello"'

        wait_until(is_let_in, what="there is room again", seconds=10)


def test_a_stopping_server_sends_a_close_event(studio: Studio, cookie: str) -> None:
    with ExitStack() as opened:
        readers = [opened.enter_context(RawReader(studio.port, cookie=cookie)) for _each in "ab"]
        for reader in readers:
            reader.until(b'"hello"')

        status = studio.signal(signal.SIGTERM)

        for reader in readers:
            reader.until(b'event: close\ndata: {"code": 4503}')
    assert status == 0


@pytest.fixture(scope="module")
def endless_port() -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "daphne", "-v", "0", "-p", str(port)),
            "tests.process.endless_response:application",
        ],
        cwd=ROOT,
    )
    wait_until(lambda: answers(port), what="it answers")
    yield port
    process.kill()
    process.wait()


@pytest.fixture
def endless_response(endless_port: int) -> int:
    """The port of Daphne with an answer that never ends, which nothing reads yet."""
    wait_until(lambda: counts(endless_port)["open"] == 0, what="the last reader is gone")
    return endless_port


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def counts(port: int) -> dict[str, int]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/count", timeout=PATIENCE) as answer:
        connections: dict[str, int] = json.load(answer)
        return connections


@pytest.mark.parametrize(("path", "seconds"), [("/events", 0), ("/zip", 4)])
def test_stalled_readers_stop_the_writer(endless_response: int, path: str, seconds: float) -> None:
    """A download may stand still for longer."""
    before = counts(endless_response)["sent"]
    with RawReader(endless_response, path) as reader:
        reader.until(b"data: ")
        began = time.monotonic()
        wait_until(lambda: counts(endless_response)["open"] == 1, what="it is open")
        wait_until(lambda: counts(endless_response)["open"] == 0, what="it is closed")

        assert time.monotonic() - began > seconds
        # what the kernel takes on both ends, and one part of ours; without a pause it would be GiB
        assert counts(endless_response)["sent"] - before < 32 * MIB


def test_a_reader_that_reads_slowly_gets_everything(endless_response: int) -> None:
    with RawReader(endless_response, "/events") as reader:
        before = counts(endless_response)["sent"]
        for _each in range(200):
            reader.connection.recv(65_536)

        assert counts(endless_response)["open"] == 1
        assert counts(endless_response)["sent"] > before


def test_an_error_within_a_response_cuts_it_and_costs_no_other(endless_response: int) -> None:
    for _each in range(2):
        with RawReader(endless_response, "/broken") as reader:
            reader.until(b"data: ")
            with suppress(ConnectionResetError):
                while part := reader.connection.recv(1 << 20):
                    reader.received += part
        # the last chunk of a response that is complete
        assert not reader.received.endswith(b"0\r\n\r\n")

    with RawReader(endless_response, "/closed") as reader:
        reader.until(b"complete")
    with RawReader(endless_response, "/failed") as reader:
        reader.until(b"500 Internal Server Error")
