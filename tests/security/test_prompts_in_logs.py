"""What users write does not come into the log of an ordinary installation."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation import services
from generation.error_codes import ErrorCode
from generation.models import Worker
from tests.api.api_program import NewProgram
from tests.factories import claim_one, fail, finished_task, put_in_trash, settle, submit
from tests.fallback.http_clients import HttpClient
from tests.socket.sockets import OpenPage
from tests.worker.demo_worker import SMALL, StartWorker, ending

PROMPT = "a garden that only the owner knows"


def assert_unwritten(caplog: pytest.LogCaptureFixture) -> None:
    """In lines from INFO on, and in all lines of ours."""
    ours = ("accounts", "generation", "liujuan")
    written = [
        f"{each.getMessage()} {each.exc_text} {each.args}"
        for each in caplog.records
        if each.levelno >= logging.INFO or each.name.startswith(ours)
    ]
    assert written
    assert not [line for line in written if "garden" in line]


@pytest.mark.django_db(transaction=True)
def test_the_life_of_a_task_is_logged_without_its_prompt(
    alice: User, worker: Worker, model: str, media: Path, now: datetime, caplog: Any
) -> None:
    caplog.set_level(logging.INFO)
    submit(alice, now, prompt=PROMPT, negative_prompt=PROMPT)
    claim = claim_one(worker, now)
    fail(claim, now, ErrorCode.MODEL_ERROR, detail="out of memory")
    settle(claim, now)
    failed = claim.task
    again = services.retry(task=failed, key=None, now=now).task
    services.request_cancel(task_id=again.pk, now=now)
    task = finished_task(alice, now, prompt=PROMPT)
    services.create_link(task=task, now=now)
    put_in_trash(alice, now, tasks=[task])
    services.empty_trash(owner=alice, now=now)

    assert_unwritten(caplog)


async def test_failing_calls_are_logged_without_the_prompt(
    open_page: OpenPage,
    person: HttpClient,
    new_program: NewProgram,
    start_worker: StartWorker,
    alice: User,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """By socket, page and API, to a model server that quotes what it was sent in its errors."""
    caplog.set_level(logging.DEBUG)
    quoting = [
        {"do": "status", "status": 500, "detail": f"no {PROMPT!r}", "times": 2},
        {"do": "status", "status": 400, "detail": f"Invalid prompt: {PROMPT}", "times": 1},
        {"do": "nonsense", "kind": "null", "times": 1},
    ]
    await start_worker(faults=quoting)
    page, program = await open_page(), await new_program(alice)
    for _again in range(2):
        await ending(page, await page.generate(PROMPT, negative_prompt=PROMPT, **SMALL))
    submitted = (
        await person.generate(PROMPT, **SMALL),
        (await program.submit(PROMPT, **SMALL))["id"],
    )
    for task_id in submitted:
        await page.ask(action="attach", task_id=task_id)
        await ending(page, task_id)

    assert_unwritten(caplog)


@pytest.mark.django_db
def test_searches_are_not_logged(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    client = Client()
    client.force_login(alice)

    assert client.get("/gallery/", {"q": PROMPT}).status_code == 200
    assert client.get("/accounts/no-such-page/", {"q": PROMPT}).status_code == 404

    assert_unwritten(caplog)


async def test_requests_of_programs_are_not_logged(
    new_program: NewProgram, alice: User, model: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    program = await new_program(alice)
    await program.submit(PROMPT)
    for body in ({"prompt": PROMPT, "size": PROMPT}, {"prompt": [PROMPT]}, {PROMPT: 1}, PROMPT):
        assert (await program.post("/tasks", body)).status_code in (400, 422)
    assert (await program.get(f"/tasks?text={PROMPT}")).status_code == 200

    assert_unwritten(caplog)
