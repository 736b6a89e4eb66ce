"""A worker that operators drain, forget, or whose figures they read."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from generation.choices import WorkerState
from generation.models import GenerationTask, Rollup, Worker
from generation.worker.figures import note_figures
from tests.socket.sockets import Page
from tests.worker.demo_worker import SMALL, StartWorker, ending, kinds, seen_at


async def test_a_drained_worker_ends_its_call_and_claims_nothing(
    page: Page, start_worker: StartWorker
) -> None:
    demo_worker = await start_worker(speed=4)
    running = await page.generate(size="256x256", steps=12)
    await seen_at(page, "generating")

    await Worker.objects.aupdate(is_drained=True)
    await demo_worker.runner.heartbeat()
    waiting = await page.generate(**SMALL)

    assert (await ending(page, running))["type"] == "result"
    assert not await demo_worker.runner.claim_tasks()
    assert (await Worker.objects.aget()).state == WorkerState.DRAINING
    while "paused" not in reasons(page, waiting):
        await page.receive(30)
    assert "claimed" not in kinds(page, waiting)

    await Worker.objects.aupdate(is_drained=False)
    await demo_worker.runner.heartbeat()
    assert (await ending(page, waiting))["type"] == "result"
    assert (await Worker.objects.aget()).state == WorkerState.RUNNING


def reasons(page: Page, task_id: str) -> list[str]:
    """Why the task waits, in the frames of the page."""
    places = (m["tasks"].get(task_id) for m in page.messages if m["type"] == "queue")
    return [place["reason"] for place in places if place]


async def test_a_forgotten_worker_registers_again_and_draws(
    page: Page, start_worker: StartWorker
) -> None:
    demo_worker = await start_worker()
    first = demo_worker.runner.worker_id
    await Worker.objects.all().adelete()

    await demo_worker.runner.heartbeat()
    task_id = await page.generate(**SMALL)

    assert (await ending(page, task_id))["type"] == "result"
    assert (await Worker.objects.aget()).pk == demo_worker.runner.worker_id != first


async def test_a_worker_notes_the_queue_and_counts_what_ended(
    page: Page, start_worker: StartWorker
) -> None:
    await start_worker()
    task_id = await page.generate(**SMALL)
    await ending(page, task_id)
    # a minute that is over
    await GenerationTask.objects.aupdate(finished_at=timezone.now() - timedelta(minutes=2))

    await note_figures()

    sampled = await Rollup.objects.aget(queued_most__isnull=False)
    assert sampled.queued_most == 0
    ended = await Rollup.objects.exclude(ended=[]).aget()
    assert ended.ended[0][1:] == ["completed", "", "", 1, 1]
