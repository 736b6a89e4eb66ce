"""From a prompt to a picture, through socket, worker, demo model and disk."""

from __future__ import annotations

import asyncio
import io
import uuid
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from PIL import Image

from generation import images
from generation.models import GeneratedImage, GenerationTask, ModelSlot, TaskEvent
from tests.factories import state_of
from tests.socket.sockets import Page
from tests.worker.demo_worker import StartWorker, ending, kinds, seen_at, steps

SEVEN = ["parsing", "loading", "preparing", "generating", "decoding", "finishing", "completed"]


async def test_a_picture_is_made_in_seven_steps(page: Page, start_worker: StartWorker) -> None:
    await start_worker(speed=4)

    task_id = await page.generate("月下荷塘", size="256x320", steps=12, seed=7)
    result = await ending(page, task_id)

    assert result["type"] == "result"
    assert steps(page, task_id) == SEVEN
    percents = [m["progress"] for m in page.messages if m.get("task_id") == task_id and "kind" in m]
    assert percents == sorted(percents)
    assert (percents[0], percents[-1]) == (0, 100)
    assert len(set(percents)) > 5
    (image,) = result["data"]["data"]
    assert (image["width"], image["height"], image["seed"], image["demo"]) == (256, 320, 7, True)
    assert image["url"] == f"/pictures/{task_id}/1/"
    assert image["thumbnail_url"] == f"/pictures/{task_id}/1/thumbnail/"


async def test_a_file_has_its_generation_settings(page: Page, start_worker: StartWorker) -> None:
    await start_worker()

    task_id = await page.generate("柳", size="256x256", seed=3, negative_prompt="fog")
    await ending(page, task_id)

    row = await GeneratedImage.objects.aget(task=uuid.UUID(task_id))
    data = images.path_of(row.file).read_bytes()
    assert len(data) == row.bytes
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.format == "JPEG"
        comment = picture.getexif().get_ifd(0x8769)[0x9286]
    text = comment.removeprefix(b"UNICODE\0").decode("utf-16-be")
    assert text.splitlines()[:2] == ["柳", "Negative prompt: fog"]
    assert "Seed: 3, Size: 256x256" in text


async def test_pictures_are_drawn_in_sequence(page: Page, start_worker: StartWorker) -> None:
    await start_worker()

    task_id = await page.generate(n=3, size="256x256", seed=2**32 - 1)
    result = await ending(page, task_id)

    assert [image["seed"] for image in result["data"]["data"]] == [2**32 - 1, 0, 1]
    assert [image["index"] for image in result["data"]["data"]] == [1, 2, 3]
    stored = [m["image"] for m in page.messages if m.get("kind") == "image_stored"]
    assert stored == [1, 2, 3]
    one = ["preparing", "generating", "decoding", "finishing"]
    assert steps(page, task_id) == ["parsing", "loading", *one, *one, *one, "completed"]


async def test_the_page_state_is_the_fold_of_the_log(page: Page, start_worker: StartWorker) -> None:
    await start_worker()
    task_id = await page.generate(n=2, size="256x256")
    await ending(page, task_id)

    task = await GenerationTask.objects.aget(pk=task_id)
    state = await sync_to_async(state_of)(task.pk)

    assert state["status"] == task.status == "completed"
    assert [span["step"] for span in state["timeline"]] == steps(page, task_id)
    assert all(span["ended"] is not None for span in state["timeline"])
    assert state["seed"] == task.seed
    assert state["run_seconds"] == task.run_seconds > 0


async def test_two_replicas_run_two_tasks_at_once(page: Page, start_worker: StartWorker) -> None:
    await start_worker(replicas=2)

    tasks = [await page.generate(f"{k}", size="256x256") for k in range(5)]
    ends = [await ending(page, task_id) for task_id in tasks]

    assert {end["type"] for end in ends} == {"result"}
    running, most = 0, 0
    # in order of writing: frames of two tasks may arrive in another order
    async for event in TaskEvent.objects.filter(task__in=map(uuid.UUID, tasks)).order_by("pk"):
        running += (event.kind == "claimed") - (event.kind == "completed")
        most = max(most, running)
    assert most == 2


async def test_a_thumbnail_follows_the_picture(page: Page, start_worker: StartWorker) -> None:
    await start_worker()
    task_id = await page.generate(size="512x256")
    await ending(page, task_id)

    row = await GeneratedImage.objects.aget(task=uuid.UUID(task_id))
    async with asyncio.timeout(20):
        while not row.thumbnail:
            await asyncio.sleep(0.02)
            await row.arefresh_from_db()

    with Image.open(images.path_of(row.thumbnail)) as small:
        assert small.size == (512, 256)
    # of the demo model, whose pictures all look alike
    assert row.similarity is None


async def test_no_slot_and_no_partial_file_remain(page: Page, start_worker: StartWorker) -> None:
    demo_worker = await start_worker()
    task_id = await page.generate(size="256x256")
    await ending(page, task_id)
    await demo_worker.runner.drain()

    assert not await ModelSlot.objects.filter(task__isnull=False).aexists()
    folder = Path(settings.MEDIA_ROOT) / task_id
    assert not [path for path in folder.iterdir() if path.name.endswith(".part")]
    assert kinds(page, task_id)[-1] == "completed"


@pytest.mark.parametrize("route", ["diffusers", "vllm"])
async def test_running_task_is_cancelled(page: Page, start_worker: StartWorker, route: str) -> None:
    await start_worker(
        engine=route, faults=[{"do": "slow", "seconds": 0.1, "match": {"steps": 20}}]
    )
    task_id = await page.generate(size="256x256", steps=20)
    await page.until("step_began")
    await seen_at(page, "preparing")

    await page.send(action="cancel", task_id=task_id)
    frame = await ending(page, task_id)
    following = await page.generate(size="256x256")
    result = await ending(page, following)

    assert frame["type"] == "cancelled"
    assert frame["data"]["data"] == []
    requested = next(m for m in page.messages if m.get("kind") == "cancel_requested")
    assert requested["details"]["stops"] == ("step" if route == "diffusers" else "picture")
    assert result["type"] == "result"
    assert result["attempt"] == 1
