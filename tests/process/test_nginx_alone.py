"""The site file of deploy/ before a web that only echoes requests."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.process.nginx import Nginx, needs_nginx
from tests.studio import PATIENCE, free_port

pytestmark = needs_nginx
Start = Callable[..., Nginx]


class Echo(BaseHTTPRequestHandler):
    """Answers with the headers it was asked with."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.wfile.write(json.dumps(headers).encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a web that says what it heard."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def nginx_before(tmp_path: Path) -> Iterator[Start]:
    """Start nginx before webs on the given ports."""
    started: list[Nginx] = []

    def start(*webs: int) -> Nginx:
        nginx = Nginx(tmp_path / "nginx", webs=webs, data_dir=tmp_path / "data").start()
        started.append(nginx)
        return nginx

    yield start
    for nginx in started:
        nginx.stop()


def test_forwarding_headers_of_a_client_end_at_nginx(nginx_before: Start, echo: int) -> None:
    nginx = nginx_before(echo)
    lies = {
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "for=6.6.6.6",
    }

    headers = httpx.get(nginx.url, headers=lies).json()

    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["host"] == f"127.0.0.1:{nginx.port}"
    assert headers.keys() & {"x-forwarded-host", "forwarded"} == set()


def test_metrics_are_not_passed_on(nginx_before: Start, echo: int) -> None:
    url = nginx_before(echo).url

    answers = [
        httpx.get(f"{url}{path}").status_code for path in ("/metrics", "/%6detrics", "//metrics")
    ]

    assert answers == [404, 404, 404]


def test_nginx_compresses_no_page_of_itself(nginx_before: Start, echo: int) -> None:
    asked = {"Accept-Encoding": "gzip", "X-Long": "willow" * 200}

    answer = httpx.get(nginx_before(echo).url, headers=asked)

    assert len(answer.content) > 1_000
    assert answer.headers["Content-Type"] == "text/html"
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_web_that_is_gone_is_passed_over(nginx_before: Start, echo: int, method: str) -> None:
    nginx = nginx_before(free_port(), echo)

    answers = [httpx.request(method, nginx.url, content=b"x").status_code for _each in range(10)]

    assert answers == [200] * 10


def test_without_any_web_nginx_answers_502(nginx_before: Start) -> None:
    nginx = nginx_before(free_port(), free_port())

    answers = [httpx.get(nginx.url, timeout=PATIENCE).status_code for _each in range(3)]

    assert answers == [502, 502, 502]


def test_a_large_upload_is_refused_before_it_reaches_a_web(nginx_before: Start, echo: int) -> None:
    nginx = nginx_before(echo)

    small = httpx.post(nginx.url, content=b"x" * 200_000)
    large = httpx.post(nginx.url, content=b"x" * 300_000)

    assert (small.status_code, large.status_code) == (200, 413)


def test_a_flood_of_passwords_is_held_back_and_nothing_else(nginx_before: Start, echo: int) -> None:
    nginx = nginx_before(echo)
    door = f"{nginx.url}/accounts/sign-in/"

    with httpx.Client() as client:
        tries = [client.post(door, content=b"x").status_code for _each in range(60)]
        others = [client.get(door).status_code for _each in range(60)]
        others += [client.post(f"{nginx.url}/messages/", content=b"x").status_code]

    assert tries[:20] == [200] * 20
    assert 429 in tries
    assert set(others) == {200}
