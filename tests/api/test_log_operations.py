"""The log of a task over the API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from accounts.models import ApiToken
from generation.hub import hub
from generation.limits import MAX_QUEUED_FRAMES
from generation.models import Worker
from tests.api.api_program import NewProgram, Program
from tests.socket.sockets import PATIENCE
from tests.socket.task_events import claim, complete, lengthen, progress
from tests.worker.demo_worker import SMALL, StartWorker

pytestmark = pytest.mark.django_db(transaction=True)


async def events_of(response: Any) -> AsyncIterator[tuple[int, dict[str, Any]]]:
    """(id, data) of each server-sent event."""
    buffer = ""
    async for part in response.streaming_content:
        buffer += part.decode()
        while "\n\n" in buffer:
            block, _gap, buffer = buffer.partition("\n\n")
            fields = dict(line.split(": ", 1) for line in block.splitlines() if line[0] != ":")
            if "data" in fields:
                yield int(fields.get("id", -1)), json.loads(fields["data"])


async def test_events_are_read_after_a_number(program: Program, model: str, worker: Worker) -> None:
    task = await program.submit()
    await progress(await claim(worker), 3)

    whole = (await program.get(task["urls"]["events"])).json()
    rest = (await program.get(f"{task['urls']['events']}?after=2")).json()

    seqs = [event["seq"] for event in whole["events"]]
    assert seqs == list(range(1, len(seqs) + 1))
    assert rest["events"] == whole["events"][2:]
    assert (whole["more"], whole["is_over"]) == (False, False)


async def test_a_poll_waits_for_the_next_event(
    program: Program, model: str, worker: Worker
) -> None:
    task = await program.submit()
    url = f"{task['urls']['events']}?after={task['seq']}&wait=60"

    poll = asyncio.create_task(program.get(url))
    while not hub.subscriptions[task["id"]]:  # noqa: ASYNC110  the request is on its way
        await asyncio.sleep(0.01)
    claimed = await claim(worker)

    events = (await asyncio.wait_for(poll, PATIENCE)).json()["events"]
    assert events[0]["kind"] == "claimed"
    assert not hub.outboxes
    await complete(claimed)
    over = (await program.get(f"{url[:-3]}=1&after=99")).json()
    assert over == {"events": [], "more": False, "is_over": True}


async def test_a_stream_brings_every_event_once_and_ends(
    program: Program, start_worker: StartWorker
) -> None:
    await start_worker()
    task = await program.submit(**SMALL)

    response = await program.get(task["urls"]["stream"])
    seen = [seq async for seq, _event in events_of(response)]

    log = (await program.get(task["urls"]["events"])).json()["events"]
    assert seen == [event["seq"] for event in log]
    assert log[-1]["status"] == "completed"
    later = await program.get(task["urls"]["stream"], Last_Event_ID=str(seen[3]))
    assert [seq async for seq, _event in events_of(later)] == seen[4:]
    ended = await program.get(f"{task['urls']['stream']}?after={seen[-1]}")
    assert [each async for each in events_of(ended)] == []
    assert not hub.outboxes


async def test_a_log_that_is_longer_than_the_outbox_arrives_whole(
    program: Program, model: str, worker: Worker
) -> None:
    task = await program.submit()
    claimed = await claim(worker)
    await lengthen(task["id"], 3 * MAX_QUEUED_FRAMES)
    await complete(claimed)

    stream = await program.get(task["urls"]["stream"])
    async with asyncio.timeout(PATIENCE):
        seen = [seq async for seq, _event in events_of(stream)]

    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) > 3 * MAX_QUEUED_FRAMES


async def test_a_stream_ends_with_its_token(program: Program, alice: User) -> None:
    task = await program.submit()
    response = await program.get(task["urls"]["stream"])
    events = events_of(response)
    assert (await anext(events))[0] == 1

    token = await ApiToken.objects.aget(owner=alice)
    await token.adelete()

    assert await anext(events) == (-1, {"code": 4401})
    assert not hub.outboxes


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=2147483648", "wait=61"])
async def test_a_number_that_cannot_be_used_is_a_problem(program: Program, query: str) -> None:
    task = await program.submit()

    response = await program.get(f"{task['urls']['events']}?{query}")

    assert (response.status_code, response.json()["code"]) == (422, "bad_message")


async def test_a_last_event_that_is_no_number_is_a_problem(program: Program) -> None:
    task = await program.submit()

    response = await program.get(task["urls"]["stream"], Last_Event_ID="²")

    assert response.json()["field"] == "Last-Event-ID"


async def test_waiting_requests_count_as_connections(
    settings: Any, program: Program, new_program: NewProgram
) -> None:
    settings.CONNECTIONS_PER_PERSON = 0
    task = await program.submit()

    response = await program.get(f"{task['urls']['events']}?after=1&wait=5")

    assert (response.status_code, response.json()["code"]) == (429, "flooding")
    assert response["Retry-After"]
