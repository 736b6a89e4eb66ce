"""The whole product against a real Xinference: a picture, a cancel, a killed model process."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Iterator

import pytest
from PIL import Image

from tests.real_xinference.server import RealServer
from tests.studio import Studio, Watcher

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def studio(real_server: RealServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    studio = Studio(
        tmp_path_factory.mktemp("studio"),
        XINFERENCE_URL=real_server.url,
        XINFERENCE_MODEL=real_server.model,
    )
    studio.start()
    yield studio
    studio.stop()


def test_a_picture_is_made_in_seven_steps(watcher: Watcher) -> None:
    task_id = watcher.generate(size="512x512", steps=12, seed=7)

    result = watcher.until_type("result", "error", seconds=120)

    assert result["type"] == "result"
    steps = [e["step"] for e in watcher.events(task_id) if e["kind"] in ("submitted", "step_began")]
    assert steps == ["parsing", "loading", "preparing", "generating", "decoding", "finishing"]
    assert result["step"] == "completed"
    percents = [e["progress"] for e in watcher.events(task_id)]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert len(set(percents)) > 8
    with Image.open(io.BytesIO(watcher.fetch(result["data"]["data"][0]["url"]))) as picture:
        assert picture.size == (512, 512)


def test_a_cancel_stops_the_model_alone(watcher: Watcher) -> None:
    task_id = watcher.generate(size="1024x1024", steps=40)
    watcher.until(lambda m: m.get("kind") == "progressed", seconds=120)

    watcher.send(action="cancel", task_id=task_id)

    assert watcher.until_type("answer")["answer"] == "requested"
    cancelled = watcher.until_type("cancelled", "result", "error", seconds=120)
    assert cancelled["type"] == "cancelled"
    assert cancelled["progress"] < 90
    watcher.generate(size="256x256", steps=4)
    assert watcher.until_type("result", "error", seconds=120)["type"] == "result"


def test_a_killed_model_costs_one_attempt(watcher: Watcher, real_server: RealServer) -> None:
    task_id = watcher.generate(size="1024x1024", steps=20)
    watcher.until(lambda m: m.get("kind") == "progressed", seconds=120)

    for pid in real_server.model_pids():
        os.kill(pid, signal.SIGKILL)

    lost = watcher.until(lambda m: m.get("kind") == "interrupted", seconds=120)
    assert lost["details"]["reason"] == "model_lost"
    result = watcher.until_type("result", "error", seconds=300)
    assert result["type"] == "result"
    assert result["attempt"] == 2
    assert [e["seq"] for e in watcher.events(task_id)] == list(range(1, result["seq"] + 1))
