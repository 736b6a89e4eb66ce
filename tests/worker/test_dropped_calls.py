"""A dropped connection does not end its call: the model may continue."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from generation.worker import WorkerRunner
from generation.xinference import XinferenceClient
from tests.contract.demo_process import DemoProcess
from tests.socket.sockets import Page
from tests.worker.demo_worker import ending, probe, seen_at

Serve = Callable[..., Awaitable[Path]]


@pytest.fixture
async def serve(tmp_path: Path, running_hub: None) -> AsyncIterator[Serve]:
    """`await serve(engine, *faults)`: a worker before such a server; its journal."""
    journal, scripted = tmp_path / "journal", tmp_path / "faults.json"
    running: list[tuple[WorkerRunner, DemoProcess]] = []

    async def start(engine: str, *faults: dict[str, Any]) -> Path:
        scripted.write_text(json.dumps([{"times": 1, **fault} for fault in faults]))
        demo = DemoProcess(
            *("--speed", "40", "--engine", engine),
            *("--faults", str(scripted), "--journal", str(journal)),
        )
        runner = WorkerRunner(lambda _server: XinferenceClient(base_url=demo.url), version="test")
        running.append((runner, demo))
        await runner.start()
        await probe(runner)
        return journal

    yield start
    for runner, demo in running:
        await runner.drain()
        demo.stop()


@pytest.mark.parametrize("engine", ["diffusers", "vllm"])
async def test_the_next_call_waits_for_a_dropped_one(page: Page, serve: Serve, engine: str) -> None:
    journal = await serve(engine, {"do": "drop"}, {"do": "stall", "seconds": 6})

    result = await ending(page, await page.generate(size="256x256", steps=20))

    assert (result["type"], result["attempt"]) == ("result", 2)
    lost = next(m for m in page.messages if m.get("kind") == "interrupted")
    assert lost["details"]["reason"] == "model_error"
    assert calls_in(journal) == ["start", "came", "left", "came", "left"]


async def test_dropped_calls_stay_open(page: Page, serve: Serve) -> None:
    """`cancelled` is a fact about the machine: the picture that it still draws comes first."""
    journal = await serve(
        "vllm",
        {"do": "stall", "step": 2, "seconds": 2},
        {"do": "drop", "step": 3},
        {"do": "stall", "step": 3, "seconds": 3},
    )

    task_id = await page.generate(size="256x256", steps=20)
    await seen_at(page, "preparing")
    await page.send(action="cancel", task_id=task_id)
    end = await ending(page, task_id)

    assert end["type"] == "cancelled"
    assert calls_in(journal) == ["start", "came", "left"]


def calls_in(journal: Path) -> list[str]:
    entries = [json.loads(line)["what"] for line in journal.read_text().splitlines()]
    return [each for each in entries if each != "abort"]
