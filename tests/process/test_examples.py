"""Each example is run as its reader runs it, and gets a picture."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

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


def test_the_receiver_of_webhooks_saves_a_picture(
    studio: Studio, token: str, tmp_path: Path
) -> None:
    secret = "whsec_" + "c2VjcmV0" * 5
    options = {"--secret": secret, "--token": token, "--port": "0", "--folder": str(tmp_path)}
    command = [sys.executable, "examples/receive_webhooks.py", "--once"]
    command += [part for pair in options.items() for part in pair]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as receiver:
        assert receiver.stdout is not None
        url = receiver.stdout.readline().strip()
        # not signed
        assert httpx.post(url, json={"type": "task.completed"}).status_code == 401
        submitted = httpx.post(
            f"{studio.url}/api/v1/tasks",
            json={"prompt": "a hill", "webhook": {"url": url, "secret": secret}},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert submitted.status_code == 201, submitted.text
        assert receiver.wait(60) == 0
    assert_picture(tmp_path / f"{submitted.json()['id']}-1.jpeg")


def assert_picture(file: Path) -> None:
    with Image.open(file) as picture:
        assert picture.size == (512, 512)
