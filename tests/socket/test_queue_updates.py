"""Queue positions of waiting tasks on their pages."""

from __future__ import annotations

from django.contrib.auth.models import User

from generation.models import Worker
from tests.socket.sockets import OpenPage
from tests.socket.task_events import claim


async def test_the_place_in_line_is_told_with_its_reason(
    alice: User, model: str, worker: Worker, open_page: OpenPage
) -> None:
    page = await open_page(alice)
    await page.generate("first")
    await claim(worker)

    second = await page.generate("second")
    queue = await page.until("queue")
    while second not in queue["tasks"]:
        queue = await page.until("queue")

    place = queue["tasks"][second]
    assert (place["position"], place["basis"], place["reason"]) == (1, "estimated", "in_line")
    assert place["eta_seconds"] > 0


async def test_of_tasks_sent_one_after_the_other_each_is_told_its_place(
    alice: User, model: str, worker: Worker, open_page: OpenPage
) -> None:
    page = await open_page(alice)
    sent = [await page.generate(f"LiuJuan {number}") for number in range(4)]

    places: dict[str, int] = {}
    while places.keys() != set(sent):
        queue = await page.until("queue")
        places |= {key: place["position"] for key, place in queue["tasks"].items()}

    assert [places[task_id] for task_id in sent] == [1, 2, 3, 4]


async def test_another_page_of_the_same_person_is_told_the_place_too(
    alice: User, model: str, open_page: OpenPage
) -> None:
    """Without a worker the position never changes, so that no later update is sent."""
    page, other = await open_page(alice), await open_page(alice)

    task_id = await page.generate()
    await other.send(action="attach", task_id=task_id)

    queue = await other.until("queue")
    while task_id not in queue["tasks"]:
        queue = await other.until("queue")
    assert queue["tasks"][task_id]["reason"] == "no_worker"
