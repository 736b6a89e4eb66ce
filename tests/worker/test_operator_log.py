"""Log lines for operators: one per end, interruption and outage."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import override_settings

from demo_xinference.faults import parse_all
from generation.models import GenerationTask, ModelState
from generation.worker.model_outages import MAX_KNOWN, ModelOutages
from tests.conftest import MODEL
from tests.socket.sockets import Page
from tests.worker.demo_worker import SMALL, StartWorker, ending, probe


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """The lines from INFO on, as they come: "LEVEL text"."""
    written: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(f"{record.levelname} {record.getMessage()}")

    handler, logger = Keep(), logging.getLogger("generation")
    logger.addHandler(handler)
    yield written
    logger.removeHandler(handler)


def of_event(lines: list[str], *events: str) -> list[str]:
    return [line for line in lines if line.split()[1] in events]


async def test_an_end_is_one_line(page: Page, start_worker: StartWorker, lines: list[str]) -> None:
    demo_worker = await start_worker()

    task_id = await page.generate(**SMALL)
    await ending(page, task_id)
    await demo_worker.runner.drain()

    (line,) = of_event(lines, "task_completed", "task_failed", "attempt_interrupted")
    worker = str(demo_worker.runner.worker_id)[:8]
    start = f"INFO task_completed task={task_id} attempt=1 worker={worker} model={MODEL} seconds="
    assert line.startswith(start)
    assert [each.split()[1] for each in lines if f"worker={worker}" in each] == [
        "worker_started",
        "task_completed",
        "worker_stopped",
    ]


async def test_a_failing_model(page: Page, start_worker: StartWorker, lines: list[str]) -> None:
    words = f"CUDA out of memory.\x1b[31m Tried\nINFO task_completed task={MODEL}"
    await start_worker(faults=[{"do": "status", "status": 500, "detail": words}])

    task_id = await page.generate(**SMALL)
    frame = await ending(page, task_id)

    ends = of_event(lines, "task_completed", "task_failed", "attempt_interrupted")
    assert [line.split()[:4] for line in ends] == [
        ["WARNING", "attempt_interrupted", f"task={task_id}", "attempt=1"],
        ["WARNING", "attempt_interrupted", f"task={task_id}", "attempt=2"],
        ["WARNING", "task_failed", f"task={task_id}", "attempt=3"],
    ]
    for line in ends:
        assert " code=out_of_memory worker=" in line
        assert "cuda out of memory" in line
        assert line.isprintable()
    assert (frame["code"], frame["attempt"]) == ("out_of_memory", 3)
    assert "CUDA" not in str(page.messages)
    assert "CUDA out of memory" in (await GenerationTask.objects.aget(pk=task_id)).error_detail


async def test_a_refused_prompt(page: Page, start_worker: StartWorker, lines: list[str]) -> None:
    prompt = "a heron in the reeds at dawn"
    words = f"Invalid prompt: {prompt!r} is not allowed"
    await start_worker(faults=[{"do": "status", "status": 400, "detail": words}])

    task_id = await page.generate(prompt, **SMALL)
    frame = await ending(page, task_id)

    assert (frame["code"], frame["attempt"]) == ("prompt_refused", 1)
    (line,) = of_event(lines, "task_failed")
    assert "invalid prompt" in line
    assert "heron" not in str(lines)
    assert "heron" not in (await GenerationTask.objects.aget(pk=task_id)).error_detail


async def test_a_failing_disk(page: Page, start_worker: StartWorker, lines: list[str]) -> None:
    await start_worker()

    with override_settings(MEDIA_ROOT="/dev/full/media"):
        task_id = await page.generate(**SMALL)
        await ending(page, task_id)

    (line,) = of_event(lines, "task_failed")
    assert f"task={task_id} attempt=1 code=storage_failed worker=" in line
    assert "ENOTDIR" in line
    assert "ENOTDIR" in (await GenerationTask.objects.aget(pk=task_id)).error_detail


async def test_an_unclaimed_task_names_no_worker(lines: list[str], page: Page) -> None:
    task_id = await page.generate(**SMALL)
    await page.ask(action="cancel", task_id=task_id)

    (line,) = of_event(lines, "task_cancelled")
    assert f"INFO task_cancelled task={task_id} attempt=0 worker=- model={MODEL} " in line


async def test_an_outage_is_two_lines(start_worker: StartWorker, lines: list[str]) -> None:
    demo_worker = await start_worker()
    demo_worker.demo.faults.extend(parse_all([{"do": "status", "status": 500, "on": "models"}]))

    for _look in range(10):
        await probe(demo_worker.runner)
    found = (await ModelState.objects.aget()).error_detail
    demo_worker.demo.faults.clear()
    for _look in range(3):
        await probe(demo_worker.runner)

    down, back = of_event(lines, "model_server_down", "model_server_back")
    assert down.startswith("WARNING model_server_down server=default cause=")
    assert back.startswith("INFO model_server_back server=default failures=")
    assert found
    assert found.split()[0] in down
    assert (await ModelState.objects.aget()).error_detail == ""


async def test_an_unknown_model_is_named(start_worker: StartWorker, lines: list[str]) -> None:
    demo_worker = await start_worker()
    with override_settings(XINFERENCE_MODEL="another"):
        for _look in range(5):
            await probe(demo_worker.runner)

    (down,) = of_event(lines, "model_down")
    assert "model=another" in down
    assert "XINFERENCE_MODEL" in down
    assert "XINFERENCE_MODEL" in (await ModelState.objects.aget(name="another")).error_detail


def test_servers_that_rename_their_models_for_ever_are_forgotten(lines: list[str]) -> None:
    news = ModelOutages("default")
    for look in range(200):
        news.update({f"model-{look}-{k}": "" for k in range(64)})

    assert len(news.known) <= MAX_KNOWN + 1
    assert len(of_event(lines, "model_down", "model_back")) <= 13


def test_models_that_flap_together_are_a_few_lines_that_name_some(lines: list[str]) -> None:
    news = ModelOutages("default")
    names = [f"model-{k:02}" for k in range(64)]
    for look in range(200):
        news.update({settings.XINFERENCE_MODEL: ""} | dict.fromkeys(names, "it loads" * (look % 2)))

    found = of_event(lines, "model_down", "model_back")
    assert len(found) <= 7
    assert found[0] == (
        'WARNING model_down model="model-00, model-01, model-02" server=default count=64 '
        'cause="it loads"'
    )
    assert found[1].startswith('INFO model_back model="model-00, model-01, model-02" server=')


def test_a_flapping_model_that_stays_down_is_logged(lines: list[str]) -> None:
    news = ModelOutages("default")
    for look in range(200):
        news.update({settings.XINFERENCE_MODEL: "it loads" * (look % 2)})
    assert settings.XINFERENCE_MODEL not in news.down
    news.pace.left = 1  # as after a minute

    news.update({settings.XINFERENCE_MODEL: "it is gone"})

    assert of_event(lines, "model_down")[-1].endswith('cause="it is gone"')


async def test_a_flapping_server_logs_little(start_worker: StartWorker, lines: list[str]) -> None:
    demo_worker = await start_worker()
    (away,) = parse_all([{"do": "status", "status": 500, "on": "models"}])
    for look in range(40):
        demo_worker.demo.faults[:] = [away] * (look % 2)
        await probe(demo_worker.runner)

    assert len(of_event(lines, "model_server_down", "model_server_back")) <= 14
