"""A connection that breaks says nothing of the call behind it: the machine may draw on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from generation.worker import WorkerHost
from generation.xinference import XinferenceClient
from tests.contract.servers import DemoProcess
from tests.socket.pages import OpenPage
from tests.worker.machine import ending


@pytest.fixture(params=["diffusers", "vllm"])
async def journal(
    request: pytest.FixtureRequest, tmp_path: Path, running_hub: None
) -> AsyncIterator[Path]:
    """A worker and a model server that drops its first call, and what came and went there."""
    journal, faults = tmp_path / "journal", tmp_path / "faults.json"
    # it goes on for longer than the worker takes to look whether the model is still there
    once = [{"do": "drop", "times": 1}, {"do": "stall", "seconds": 6, "times": 1}]
    faults.write_text(json.dumps(once))
    demo = DemoProcess(
        *("--speed", "40", "--engine", request.param),
        *("--faults", str(faults), "--journal", str(journal)),
    )
    host = WorkerHost(XinferenceClient(base_url=demo.url), demo=True, version="test")
    await host.start()
    await host.look_at_models()
    yield journal
    await host.drain()
    demo.stop()


async def test_the_next_call_waits_until_the_dropped_one_is_over(
    alice: User, open_page: OpenPage, journal: Path
) -> None:
    page = await open_page(alice)

    task_id = await page.generate(size="256x256", steps=20)
    result = await ending(page, task_id)

    assert (result["type"], result["attempt"]) == ("result", 2)
    lost = next(m for m in page.messages if m.get("kind") == "interrupted")
    assert lost["details"]["reason"] == "model_error"
    assert calls_in(journal) == ["start", "came", "left", "came", "left"]


def calls_in(journal: Path) -> list[str]:
    return [json.loads(line)["what"] for line in journal.read_text().splitlines()]
