"""Every recorded fault of the model server: the user's message, and what is kept."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from django.test import override_settings

from demo_xinference.faults import parse_all
from generation import images
from generation.error_codes import ErrorCode
from generation.exceptions import PictureError
from generation.models import GeneratedImage, GenerationTask, ModelSlot, ModelState
from generation.worker.attempt import Attempt
from generation.worker.picture_call import PictureCall
from generation.worker.task_run import TaskRun
from tests.socket.sockets import Page
from tests.worker.demo_worker import SMALL, StartWorker, ending, kinds, probe

DETAIL = "[address=10.1.2.3:5, pid=7] divisible by 16"
"""Words of a server that are recognised, with an address that must not reach the user."""


async def assert_failed(page: Page, frame: dict[str, Any], code: str, step: str) -> None:
    """A sentence, a code and a step; nothing of the server's own words; the socket goes on."""
    assert frame["type"] == "error"
    assert (frame["code"], frame["step"]) == (code, step)
    assert frame["message"]
    for word in ("address=", "10.1.2.3", "divisible by 16", "scripted"):
        assert word not in str(page.messages)
    task = await GenerationTask.objects.aget(pk=frame["task_id"])
    assert (task.status, task.error_code) == ("failed", code)
    assert (await page.ask(action="ping"))["type"] == "pong"


PERMANENT: list[tuple[dict[str, Any], ErrorCode, str]] = [
    ({"do": "status", "status": 400}, ErrorCode.REQUEST_REFUSED, "preparing"),
    ({"do": "status", "status": 400, "detail": DETAIL}, ErrorCode.SIZE_REFUSED, "preparing"),
    ({"do": "status", "status": 422}, ErrorCode.REQUEST_REFUSED, "preparing"),
    ({"do": "status", "status": 403}, ErrorCode.MODEL_FORBIDDEN, "preparing"),
    ({"do": "not_json"}, ErrorCode.BAD_PICTURE, "finishing"),
    ({"do": "empty"}, ErrorCode.BAD_PICTURE, "finishing"),
    ({"do": "not_base64"}, ErrorCode.BAD_PICTURE, "finishing"),
    ({"do": "not_image"}, ErrorCode.BAD_PICTURE, "finishing"),
    ({"do": "truncated"}, ErrorCode.BAD_PICTURE, "finishing"),
    ({"do": "bomb"}, ErrorCode.PICTURE_TOO_LARGE, "finishing"),
    ({"do": "scans"}, ErrorCode.BAD_PICTURE, "finishing"),
    ({"do": "wrong_size"}, ErrorCode.PICTURE_TOO_LARGE, "finishing"),
]
"""Of a fault: its code, and the step at which the task ends."""


async def test_a_permanent_fault_fails_the_task_and_nothing_else(
    page: Page, start_worker: StartWorker
) -> None:
    """All faults on one worker, because each start costs more than all of their tasks."""
    prompts = [f"bad {chr(ord('a') + number)}" for number in range(len(PERMANENT))]
    faults = [
        {**fault, "match": {"prompt_contains": prompt}}
        for prompt, (fault, _code, _step) in zip(prompts, PERMANENT, strict=True)
    ]
    demo_worker = await start_worker(faults=faults)

    for prompt, (fault, code, step) in zip(prompts, PERMANENT, strict=True):
        task_id = await page.generate(prompt, **SMALL)
        await assert_failed(page, await ending(page, task_id), code.value, step)
        if "status" in fault:
            # staff read the server's own words
            detail = fault.get("detail", "scripted")
            assert detail in (await GenerationTask.objects.aget(pk=task_id)).error_detail, fault

        good = await page.generate("good", **SMALL)
        assert (await ending(page, good))["type"] == "result", fault
    await demo_worker.runner.drain()
    assert not await ModelSlot.objects.filter(task__isnull=False).aexists()


@pytest.mark.parametrize(
    ("status", "reason"), [(429, "model_busy"), (503, "model_loading"), (404, "model_loading")]
)
async def test_busy_models_delay(
    page: Page, start_worker: StartWorker, status: int, reason: str
) -> None:
    await start_worker(faults=[{"do": "status", "status": status, "times": 1}])

    result = await ending(page, await page.generate(**SMALL))

    assert (result["type"], result["attempt"]) == ("result", 1)
    delayed = next(m for m in page.messages if m.get("kind") == "delayed")
    assert delayed["details"]["reason"] == reason
    assert delayed["details"]["until"] > delayed["timestamp"]


async def test_pauses_of_a_busy_model_double(page: Page, start_worker: StartWorker) -> None:
    await start_worker(faults=[{"do": "status", "status": 429, "times": 2}])

    await ending(page, await page.generate(**SMALL))

    delayed = [m for m in page.messages if m.get("kind") == "delayed"]
    first, second = (m["details"]["until"] - m["timestamp"] for m in delayed)
    # 1 s and 2 s, spread by 30 %
    assert 0.69 < first < 1.31
    assert 1.39 < second < 2.61


async def test_three_model_errors_fail_the_task(page: Page, start_worker: StartWorker) -> None:
    await start_worker(faults=[{"do": "status", "status": 500}])

    task_id = await page.generate(**SMALL)
    frame = await ending(page, task_id)

    assert kinds(page, task_id).count("interrupted") == 2
    assert (frame["attempt"], frame["code"]) == (3, "model_error")


async def test_a_dropped_call_costs_one_attempt(page: Page, start_worker: StartWorker) -> None:
    await start_worker(faults=[{"do": "drop", "times": 1}])

    result = await ending(page, await page.generate(**SMALL))

    assert (result["type"], result["attempt"]) == ("result", 2)
    lost = next(m for m in page.messages if m.get("kind") == "interrupted")
    assert lost["details"] == {"reason": "model_error", "counted": True, "stored": 0}


async def test_a_dead_model_process_is_model_lost(page: Page, start_worker: StartWorker) -> None:
    await start_worker(faults=[{"do": "die", "step": 2, "times": 1}])

    result = await ending(page, await page.generate(**SMALL))

    lost = next(m for m in page.messages if m.get("kind") == "interrupted")
    assert lost["details"]["reason"] == "model_lost"
    assert (result["type"], result["attempt"]) == ("result", 2)


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "status", "status": 409, "detail": "The request has been cancelled: x"},
        {"do": "status", "status": 500, "detail": "The request has been aborted: x"},
    ],
)
async def test_a_foreign_abort_is_no_cancel(
    page: Page, start_worker: StartWorker, fault: dict[str, Any]
) -> None:
    await start_worker(faults=[{**fault, "times": 1}])

    result = await ending(page, await page.generate(**SMALL))

    assert result["type"] == "result"
    lost = next(m for m in page.messages if m.get("kind") == "interrupted")
    assert lost["details"] == {"reason": "call_aborted", "counted": False, "stored": 0}


async def test_a_refused_key_is_not_sent_again(page: Page, start_worker: StartWorker) -> None:
    demo_worker = await start_worker()
    refused = {"do": "status", "status": 401, "times": 1}
    demo_worker.demo.faults.extend(parse_all([refused, {**refused, "on": "models"}]))

    task_id = await page.generate(**SMALL)
    await page.until("interrupted")
    place = await page.until("queue")
    while place["tasks"].get(task_id, {}).get("reason") != "key_refused":
        place = await page.until("queue")

    demo_worker.demo.faults.extend(parse_all([{"do": "status", "status": 500, "on": "models"}]))
    await probe(demo_worker.runner)
    # had it asked, the answer would have made this "model_down"
    assert (await ModelState.objects.aget()).error_code == ErrorCode.KEY_REFUSED
    assert not (await ModelState.objects.aget()).ready
    task = await GenerationTask.objects.aget(pk=task_id)
    assert (task.status, task.failed_attempts) == ("queued", 0)


async def test_the_queue_waits_for_the_model(page: Page, start_worker: StartWorker) -> None:
    demo_worker = await start_worker(faults=[{"do": "drop", "on": "models"}])

    task_id = await page.generate(**SMALL)
    place = await page.until("queue")
    demo_worker.demo.faults.clear()
    await probe(demo_worker.runner)

    assert place["tasks"][task_id]["reason"] == "model_down"
    assert (await ending(page, task_id))["type"] == "result"


async def test_results_stay_when_the_model_goes(page: Page, start_worker: StartWorker) -> None:
    demo_worker = await start_worker()
    done = await page.generate("before", **SMALL)
    result = await ending(page, done)

    demo_worker.demo.faults.extend(parse_all([{"do": "drop", "on": "models"}]))
    await probe(demo_worker.runner)
    waiting = await page.generate("after", **SMALL)
    place = await page.until("queue")

    assert result["type"] == "result"
    assert place["tasks"][waiting]["reason"] == "model_down"
    assert (await GenerationTask.objects.aget(pk=done)).status == "completed"
    assert (await GenerationTask.objects.aget(pk=waiting)).status == "queued"


async def test_what_follows_a_picture_is_not_stored(page: Page, start_worker: StartWorker) -> None:
    await start_worker(faults=[{"do": "tail"}])

    result = await ending(page, await page.generate(**SMALL))

    assert result["type"] == "result"
    image = await GeneratedImage.objects.aget()
    data = await asyncio.to_thread(images.path_of(image.file).read_bytes)
    assert len(data) == image.bytes < 64 * 1024
    assert data.endswith(b"\xff\xd9")


async def test_a_failing_disk_leaves_no_row(page: Page, start_worker: StartWorker) -> None:
    await start_worker()

    with override_settings(MEDIA_ROOT="/dev/full/media"):
        task_id = await page.generate(**SMALL)
        await assert_failed(page, await ending(page, task_id), "storage_failed", "finishing")

    assert not await GeneratedImage.objects.aexists()
    good = await page.generate(**SMALL)
    assert (await ending(page, good))["type"] == "result"


async def test_an_ended_run_is_freed_at_once(page: Page, start_worker: StartWorker) -> None:
    """An error holds the frames behind it, with the picture in them, and cycles stay for long."""
    faults: list[dict[str, Any]] = [
        {"do": do, "match": {"prompt_contains": f"bad {do} bad"}}
        for do in ("empty", "not_image", "truncated", "wrong_size", "nonsense")
    ]
    faults.append({"do": "status", "status": 400, "match": {"prompt_contains": "bad status bad"}})
    demo_worker = await start_worker(faults=faults)
    gc.collect()
    gc.disable()
    try:
        for fault in faults:
            task_id = await page.generate(f"bad {fault['do']} bad", **SMALL)
            assert (await ending(page, task_id))["type"] == "error"
        await asyncio.gather(*demo_worker.runner.runs.values())
        await asyncio.sleep(0)
        kept = [type(each).__name__ for each in gc.get_objects() if isinstance(each, OF_A_RUN)]
    finally:
        gc.enable()

    assert kept == []


OF_A_RUN = (TaskRun, Attempt, PictureCall, PictureError)
