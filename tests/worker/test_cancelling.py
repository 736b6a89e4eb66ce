"""A cancel waits for the machine, and for nothing else that the server leaves unanswered."""

from __future__ import annotations

import asyncio

import pytest
from django.contrib.auth.models import User

from demo_xinference.faults import parse_all
from generation.models import ModelState
from tests.socket.pages import OpenPage
from tests.worker.machine import StartMachine, ending, kinds, seen_at


async def test_an_abort_that_is_not_answered_is_left_once_the_call_has_ended(
    alice: User,
    open_page: OpenPage,
    start_machine: StartMachine,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await start_machine(faults=[{"do": "stall", "seconds": 3}, {"do": "hang", "on": "abort"}])
    page = await open_page(alice)

    task_id = await page.generate(size="256x256", steps=4)
    await seen_at(page, "generating")
    await page.send(action="cancel", task_id=task_id)
    frame = await ending(page, task_id)

    assert frame["type"] == "cancelled"
    # it would have failed, had it been waited for
    assert "abort_down" not in caplog.text


async def test_a_look_at_a_silent_server_after_a_failure_ends_with_the_run(
    alice: User, open_page: OpenPage, start_machine: StartMachine
) -> None:
    machine = await start_machine(faults=[{"do": "status", "status": 500}])
    page = await open_page(alice)
    (silent,) = parse_all([{"do": "hang", "on": "models"}])
    machine.demo.faults.append(silent)

    task_id = await page.generate(size="256x256", steps=4)
    await seen_at(page, "preparing")
    while not silent.struck:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await page.send(action="cancel", task_id=task_id)
    frame = await ending(page, task_id)

    assert frame["type"] == "cancelled"
    assert "interrupted" not in kinds(page, task_id)
    # what the look would have found, had it been waited for
    assert (await ModelState.objects.aget()).ready
