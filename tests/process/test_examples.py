"""Each example is run as its reader runs it, and gets a picture."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import httpx
import pytest
from PIL import Image
from standardwebhooks import Webhook

from tests.demo_faults import FAST
from tests.studio import ROOT, Studio


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    env = {"DEMO_SPEED": str(FAST), "WEBHOOK_ALLOW": "127.0.0.1"}
    studio = Studio(tmp_path_factory.mktemp("examples") / "data", **env).start()
    yield studio
    studio.stop()


@pytest.fixture(scope="module")
def token(studio: Studio) -> str:
    return studio.token()


def run(*command: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | env, capture_output=True, text=True, timeout=60
    )


def watch(studio: Studio, token: str) -> subprocess.CompletedProcess[str]:
    url = f"ws://127.0.0.1:{studio.port}/ws/generate"
    return run(sys.executable, "examples/watch_generation.py", "--url", url, "--token", token)


def test_the_socket_example_prints_every_message_up_to_the_result(
    studio: Studio, token: str
) -> None:
    done = watch(studio, token)

    assert done.returncode == 0, done.stderr
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = [m["type"] for m in messages if m["type"] not in ("hello", "queue", "models")]
    assert kinds[0] == "ack"
    assert set(kinds[1:-1]) == {"progress"}
    assert kinds[-1] == "result"
    assert messages[-1]["progress"] == 100


def test_the_socket_example_prints_its_close_code(studio: Studio) -> None:
    done = watch(studio, "lj-wrong")

    assert done.returncode == 2
    assert "4401" in done.stderr


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_curl_example_saves_a_picture(studio: Studio, token: str, tmp_path: Path) -> None:
    file = tmp_path / "picture.jpg"

    done = run("sh", "examples/draw.sh", "a hill", str(file), URL=studio.url, TOKEN=token)

    assert done.returncode == 0, done.stderr
    assert_picture(file)


@pytest.mark.parametrize(
    "example", ["draw_over_http.py", "draw_with_openai.py", "draw_with_mcp.py"]
)
def test_an_example_saves_a_picture(
    studio: Studio, token: str, tmp_path: Path, example: str
) -> None:
    file = tmp_path / "picture.jpg"
    options = {"--url": studio.url, "--token": token, "--prompt": "a hill", "--file": str(file)}

    done = run(
        sys.executable, f"examples/{example}", *(part for pair in options.items() for part in pair)
    )

    assert done.returncode == 0, done.stderr
    assert_picture(file)


SECRET = "whsec_" + "c2VjcmV0" * 5


@pytest.fixture
def receiver(token: str, tmp_path: Path) -> Iterator[tuple[str, IO[str]]]:
    """Its address, and the names of the files that it saves in `tmp_path`."""
    options = {"--secret": SECRET, "--token": token, "--port": "0", "--folder": str(tmp_path)}
    command = [sys.executable, "examples/receive_webhooks.py"]
    command += [part for pair in options.items() for part in pair]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process.stdout
        assert process.poll() is None
        process.kill()


def signed(message: dict[str, Any], url: str) -> httpx.Response:
    """The answer to a message of the studio."""
    body, now = json.dumps(message), datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("msg_1", now, body),
    }
    return httpx.post(url, content=body, headers=headers)


def test_the_receiver_of_webhooks_saves_a_picture(
    studio: Studio, token: str, tmp_path: Path, receiver: tuple[str, IO[str]]
) -> None:
    url, files = receiver
    # not signed
    assert httpx.post(url, json={"type": "task.completed"}).status_code == 401
    # a picture that is not there
    picture = {"index": 1, "url": f"{studio.url}/pictures/{UUID(int=0)}/1/"}
    lost = {"id": "lost", "status": "completed", "pictures": [picture]}
    assert signed({"type": "task.completed", "data": lost}, url).status_code == 204

    submitted = httpx.post(
        f"{studio.url}/api/v1/tasks",
        json={"prompt": "a hill", "webhook": {"url": url, "secret": SECRET}},
        headers={"Authorization": f"Bearer {token}"},
    )

    assert submitted.status_code == 201, submitted.text
    file = tmp_path / f"{submitted.json()['id']}-1.jpeg"
    assert files.readline().strip() == str(file)
    assert_picture(file)


def test_the_receiver_of_webhooks_tries_again(receiver: tuple[str, IO[str]]) -> None:
    answers = iter((503, 200))

    class Pictures(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(next(answers))
            self.send_header("Content-Type", "image/jpeg")
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Pictures) as server:
        picture = {"index": 1, "url": f"http://127.0.0.1:{server.server_port}/"}
        task = {"id": "late", "status": "completed", "pictures": [picture]}
        signed({"type": "task.completed", "data": task}, receiver[0])
        server.handle_request()
        server.handle_request()

    assert receiver[1].readline().endswith("late-1.jpeg\n")


def test_the_receiver_of_webhooks_refuses_a_length(receiver: tuple[str, IO[str]]) -> None:
    for length in ("-1", str(2**30)):
        connection = HTTPConnection(httpx.URL(receiver[0]).netloc.decode(), timeout=30)
        connection.putrequest("POST", "/")
        connection.putheader("Content-Length", length)
        connection.endheaders()

        assert connection.getresponse().status == 413
        connection.close()


def assert_picture(file: Path) -> None:
    with Image.open(file) as picture:
        assert picture.size == (512, 512)
