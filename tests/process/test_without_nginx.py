"""A web process without nginx: limits for clients, over real connections."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.studio import PATIENCE, Studio, wait_until

PER_ADDRESS = 40


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    data_dir = tmp_path_factory.mktemp("alone")
    studio = Studio(data_dir, CONNECTIONS_PER_ADDRESS=str(PER_ADDRESS)).start()
    yield studio
    studio.stop()


def connect(studio: Studio) -> socket.socket:
    return socket.create_connection(("127.0.0.1", studio.port), timeout=PATIENCE)


def ask(studio: Studio, request: bytes, *parts: bytes) -> bytes:
    """Everything that is answered, until the connection is closed."""
    with connect(studio) as connection:
        for part in (request, *parts):
            connection.sendall(part)
        answer = b""
        while data := connection.recv(65_536):
            answer += data
        return answer


def get(studio: Studio, path: bytes) -> bytes:
    lines = b"Host: 127.0.0.1\r\nConnection: close"
    return ask(studio, b"GET %s HTTP/1.1\r\n%s\r\n\r\n" % (path, lines))


def test_a_body_of_any_size_is_refused_before_it_comes(studio: Studio) -> None:
    head = b"POST /messages/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"

    declared = ask(studio, head + b"Content-Length: 314572800\r\n\r\n", b"x" * 100_000)
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    chunked = ask(studio, head + b"Transfer-Encoding: chunked\r\n\r\n", chunk * 5)
    small = ask(studio, head + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}")

    assert declared.startswith(b"HTTP/1.1 413 ")
    assert chunked.startswith(b"HTTP/1.1 413 ")
    # read, and refused for its missing form token
    assert small.startswith(b"HTTP/1.1 403 ")


def test_silent_connections_make_place_for_people_and_leave_sockets_alone(studio: Studio) -> None:
    with ExitStack() as stack:
        watcher = stack.enter_context(studio.connect(studio.token()))
        watcher.until_type("hello")
        silent = [stack.enter_context(connect(studio)) for _each in range(3 * PER_ADDRESS)]

        assert b" 200 OK" in get(studio, b"/healthz")
        assert b" 200 OK" in get(studio, b"/accounts/sign-in/")
        watcher.send(action="ping")
        watcher.until_type("pong")
        task_id = watcher.generate(size="256x256", steps=1)
        watcher.until_type("result")

        assert watcher.events(task_id)
        assert wait_until(lambda: is_closed(silent[0]), what="the oldest went first")
        assert not is_closed(silent[-1])


def is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def test_a_client_that_asks_faster_than_it_reads_gets_every_answer(studio: Studio) -> None:
    count = 100
    request = b"GET /i18n/catalog.js HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n"
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.settimeout(PATIENCE)
        connection.connect(("127.0.0.1", studio.port))
        connection.sendall(request % b"" * (count - 1) + request % b"Connection: close\r\n")
        answers = b""
        while data := connection.recv(65_536):
            answers += data

    assert answers.count(b"HTTP/1.1 200 OK") == count
    # each request has an id of its own
    alike = re.sub(rb"(?i)X-Request-ID: [\w-]+\r\n", b"", answers)
    assert len(set(alike.split(b"HTTP/1.1 200 OK")[1:-1])) == 1


def test_garbage_is_no_line_in_the_log(studio: Studio) -> None:
    for request in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /%ff%fe%00 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        b"BREW /pot HTCPCP/1.0\r\n\r\n",
        b"GET /\xff\xff HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    ):
        answer = ask(studio, request)
        assert not answer.startswith(b"HTTP/1.1 5"), request
    handshake = (
        b"GET /ws/nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
        b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    assert b" 403 " in ask(studio, handshake)

    assert "Traceback" not in studio.log.read_text()
