"""The layer is a doorbell: gone or hanging, it makes pages late and nothing wrong."""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.servers import DemoProcess
from tests.studio import Studio, free_port, wait_until


@pytest.fixture(params=["gone", "hanging"])
def redis_port(request: pytest.FixtureRequest) -> Iterator[int]:
    """A port where no Redis answers: nobody listens, or somebody accepts and says nothing."""
    if request.param == "gone":
        yield free_port()
        return
    with socket.create_server(("127.0.0.1", 0), backlog=128) as silent:
        yield silent.getsockname()[1]


@pytest.fixture
def model_server() -> Iterator[DemoProcess]:
    server = DemoProcess("--speed", "20")
    yield server
    server.stop()


def test_tasks_are_drawn_and_told_without_a_layer(
    tmp_path: Path, redis_port: int, model_server: DemoProcess
) -> None:
    studio = Studio(
        tmp_path / "data",
        REDIS_URL=f"redis://127.0.0.1:{redis_port}/0",
        EMBEDDED_WORKER="1",
        XINFERENCE_URL=model_server.url,
    )
    try:
        studio.start()
        with studio.connect(studio.token()) as watcher:
            task_id = watcher.generate(size="256x256")
            result = watcher.until_type("result", "error", "cancelled")

            assert (result["type"], result["attempt"]) == ("result", 1)
            seqs = [event["seq"] for event in watcher.events(task_id)]
            assert seqs == list(range(1, result["seq"] + 1))
        wait_until(lambda: layer_of(studio) == "down", what="readyz tells of the layer")
    finally:
        studio.stop()


def layer_of(studio: Studio) -> str:
    with urllib.request.urlopen(f"{studio.url}/readyz", timeout=5) as answer:
        layer: str = json.load(answer)["layer"]
        return layer
