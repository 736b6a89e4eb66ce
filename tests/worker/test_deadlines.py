"""Calls that make no progress, and models that stay busy, up to a deadline."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import override_settings

from generation.models import GenerationTask, ModelInstance
from tests.socket.sockets import Page
from tests.worker.demo_worker import SMALL, StartWorker, ending, kinds


@pytest.mark.parametrize(
    ("engine", "fault", "most"),
    [
        # the step before the stall is reported
        ("diffusers", "stall", 1),
        ("vllm", "stall", 0),
        # the first fraction is reported, however small; the later ones never add up to a rise
        ("diffusers", "creep", 1),
        ("vllm", "creep", 1),
    ],
)
async def test_a_call_without_progress_is_ended(
    page: Page, start_worker: StartWorker, engine: str, fault: str, most: int
) -> None:
    with override_settings(GENERATION_STALL=timedelta(seconds=1.5)):
        await start_worker(engine=engine, faults=[{"do": fault, "seconds": 4, "times": 1}])

        result = await ending(page, await page.generate(**SMALL))

    lost = next(m for m in page.messages if m.get("kind") == "interrupted")
    assert lost["details"]["reason"] == "stalled"
    first = [m for m in page.messages if m.get("attempt") == 1 and m.get("kind") == "progressed"]
    assert len(first) <= most
    assert result["type"] == "result"
    # on a busy machine a healthy picture may come too late as well
    assert result["attempt"] > 1


async def test_a_call_behind_other_programs_has_more_time_to_begin(
    page: Page, start_worker: StartWorker
) -> None:
    """As many stall limits more as there were calls, until its own first progress."""
    stall = {"do": "stall", "seconds": 4, "times": 1}
    with override_settings(GENERATION_STALL=timedelta(seconds=1.5)):
        demo_worker = await start_worker(engine="vllm", faults=[stall])
        # the probe of the demo knows no queue and would remove it
        demo_worker.runner.servers.held = True
        await ModelInstance.objects.aupdate(other_calls=9)

        result = await ending(page, await page.generate(**SMALL))

    assert (result["type"], result["attempt"]) == ("result", 1)


async def test_a_picture_ends_at_its_deadline(page: Page, start_worker: StartWorker) -> None:
    limits = {"GENERATION_STALL": timedelta(seconds=5), "GENERATION_DEADLINE": timedelta(seconds=5)}
    # it does not hear the abort before its end
    late = {"do": "delay_decode", "seconds": 10, "match": {"prompt_contains": "late"}}
    with override_settings(**limits):
        await start_worker(faults=[late])
        # the painting process is there after the first one
        await ending(page, await page.generate(**SMALL))

        task_id = await page.generate("late", **SMALL)
        lost = await page.until("interrupted")

    assert lost["details"]["reason"] == "stalled"
    # the stall limit counts from here
    assert "progressed" in kinds(page, task_id)
    task = await GenerationTask.objects.aget(pk=task_id)
    assert task.error_detail == "the deadline has passed"


async def test_a_busy_model_ends_at_the_deadline(page: Page, start_worker: StartWorker) -> None:
    limits = {"GENERATION_STALL": timedelta(seconds=1), "GENERATION_DEADLINE": timedelta(seconds=1)}
    with override_settings(**limits):
        await start_worker(faults=[{"do": "status", "status": 429}])

        task_id = await page.generate(**SMALL)
        lost = await page.until("interrupted")

    assert lost["details"] == {"reason": "stalled", "counted": True, "stored": 0}
    assert kinds(page, task_id).count("delayed") in (1, 2)
    task = await GenerationTask.objects.aget(pk=task_id)
    assert "Rate limit" in task.error_detail or "scripted" in task.error_detail
