"""Queue positions of queued tasks on their pages."""

from __future__ import annotations

import pytest

from generation.models import Worker
from tests.socket.sockets import OpenPage, Page
from tests.socket.task_events import claim

pytestmark = pytest.mark.usefixtures("model")


async def test_a_position_comes_with_its_reason(worker: Worker, page: Page) -> None:
    await page.generate("first")
    await claim(worker)

    second = await page.generate("second")
    queue = await page.until("queue")
    while second not in queue["tasks"]:
        queue = await page.until("queue")

    entry = queue["tasks"][second]
    assert (entry["position"], entry["basis"], entry["reason"]) == (1, "estimated", "in_line")
    assert entry["eta_seconds"] > 0


async def test_each_of_several_new_tasks_gets_its_position(worker: Worker, page: Page) -> None:
    sent = [await page.generate(f"LiuJuan {number}") for number in range(4)]

    positions: dict[str, int] = {}
    while positions.keys() != set(sent):
        queue = await page.until("queue")
        positions |= {key: entry["position"] for key, entry in queue["tasks"].items()}

    assert [positions[task_id] for task_id in sent] == [1, 2, 3, 4]


async def test_every_page_of_an_owner_gets_positions(open_page: OpenPage) -> None:
    """Without a worker the position never changes, so that no later update is sent."""
    page, other = await open_page(), await open_page()

    task_id = await page.generate()
    await other.send(action="attach", task_id=task_id)

    queue = await other.until("queue")
    while task_id not in queue["tasks"]:
        queue = await other.until("queue")
    assert queue["tasks"][task_id]["reason"] == "no_worker"
