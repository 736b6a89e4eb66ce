"""A cancel waits for the running call, and for no other request to the server."""

from __future__ import annotations

import asyncio

import pytest

from demo_xinference.faults import parse_all
from generation.models import ModelState
from tests.socket.sockets import Page
from tests.worker.demo_worker import StartWorker, ending, kinds, seen_at


async def test_a_hanging_abort_ends_with_its_call(
    page: Page, start_worker: StartWorker, caplog: pytest.LogCaptureFixture
) -> None:
    await start_worker(faults=[{"do": "stall", "seconds": 3}, {"do": "hang", "on": "abort"}])

    task_id = await page.generate(size="256x256", steps=4)
    await seen_at(page, "generating")
    await page.send(action="cancel", task_id=task_id)
    frame = await ending(page, task_id)

    assert frame["type"] == "cancelled"
    # it would have failed, had it been waited for
    assert "abort_down" not in caplog.text


async def test_a_cancel_ends_a_hanging_model_probe(page: Page, start_worker: StartWorker) -> None:
    demo_worker = await start_worker(faults=[{"do": "status", "status": 500}])
    (silent,) = parse_all([{"do": "hang", "on": "models"}])
    demo_worker.demo.faults.append(silent)

    task_id = await page.generate(size="256x256", steps=4)
    await seen_at(page, "preparing")
    while not silent.times_applied:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await page.send(action="cancel", task_id=task_id)
    frame = await ending(page, task_id)

    assert frame["type"] == "cancelled"
    assert "interrupted" not in kinds(page, task_id)
    # what a poll would have found if the cancel had waited for it
    assert (await ModelState.objects.aget()).ready
