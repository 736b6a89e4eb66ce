"""A task that staff return to the queue begins again once its call has ended."""

from __future__ import annotations

import uuid

from asgiref.sync import sync_to_async

from generation import services
from generation.clock import clock
from tests.socket.sockets import Page
from tests.worker.demo_worker import SMALL, StartWorker, ending, seen_at

HELD = {"do": "hold", "seconds": 60, "times": 1}
"""The first call makes no progress, and ends when it is aborted."""


async def test_a_returned_task_is_drawn_again(page: Page, start_worker: StartWorker) -> None:
    demo_worker = await start_worker(faults=[HELD])
    hand_back = sync_to_async(services.hand_back)
    task_id = await page.generate(**SMALL)
    await seen_at(page, "generating")

    returned = await hand_back(task_id=uuid.UUID(task_id), now=clock.now())
    again = await hand_back(task_id=uuid.UUID(task_id), now=clock.now())
    end = await ending(page, task_id)

    assert returned
    assert not again
    (event,) = (m for m in page.messages if m.get("kind") == "interrupted")
    assert (event["details"]["reason"], event["details"]["counted"]) == ("handed_back", False)
    assert (end["type"], end["attempt"]) == ("result", 2)
    calls = [path for path, _id in demo_worker.requests if "txt2img" in path or "abort" in path]
    drawn, *aborted, drawn_again = calls
    assert "txt2img" in drawn
    assert "txt2img" in drawn_again
    assert aborted
    assert all("abort" in path for path in aborted)
