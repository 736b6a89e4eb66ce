"""Tasks over the API: submitting, reading, listing, ending."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from pytest_django import Settings

from generation.hub import hub
from generation.models import GenerationTask, Worker
from generation.protocol.close_codes import CloseCode
from tests.api.api_program import NewProgram, Program
from tests.factories import complete, failed_task, finished_task
from tests.socket.sockets import PATIENCE
from tests.socket.task_events import claim
from tests.worker.demo_worker import SMALL, StartWorker

NOWHERE = "00000000-0000-4000-8000-000000000000"
"""The id of no task."""

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_submission_gives_every_address_that_comes_next(program: Program) -> None:
    response = await program.post("/tasks", {"prompt": "an umbrella", "size": "256x512", "n": 2})

    assert response.status_code == 201
    task = response.json()
    assert response["Location"] == task["urls"]["self"]
    assert task["status"] == "queued"
    assert task["settings"] == {
        "prompt": "an umbrella",
        "negative_prompt": "",
        "model": "LiuJuan20260223Zimage",
        "size": "256x512",
        "n": 2,
        "steps": 9,
        "guidance": 0,
        "seed": None,
    }
    for name, url in task["urls"].items():
        if name not in ("cancel", "retry", "page", "stream"):
            assert (await program.get(url)).status_code == 200, name
    assert (await program.get(task["urls"]["self"])).json() == task


async def test_a_program_gets_its_picture(program: Program, start_worker: StartWorker) -> None:
    await start_worker()

    response = await program.post("/tasks", {"prompt": "a hill", **SMALL}, Prefer="wait=60")

    assert response.status_code == 201
    assert response["Preference-Applied"] == "wait=60"
    task = response.json()
    assert (task["status"], task["progress"]) == ("completed", 100)
    (picture,) = task["pictures"]
    for name in ("url", "thumbnail_url"):
        file = await program.get(picture[name])
        assert file.status_code == 200
        assert file["Content-Type"].startswith("image/")
    settings = (await program.get(picture["settings_url"])).json()
    assert "a hill" in settings["parameters"]
    assert settings["seed"] == picture["seed"] == task["settings"]["seed"]


async def test_a_reader_waits_for_the_end(program: Program, start_worker: StartWorker) -> None:
    await start_worker()
    task = await program.submit(**SMALL)

    response = await program.get(task["urls"]["self"], Prefer="wait=60")

    assert response["Preference-Applied"] == "wait=60"
    assert response.json()["status"] == "completed"
    again = await program.get(task["urls"]["self"], Prefer="wait=60")
    assert again.json() == response.json()


async def test_without_room_to_wait_an_accepted_task_is_still_the_answer(
    program: Program, settings: Settings
) -> None:
    settings.CONNECTIONS_PER_PERSON = 0
    body = {"prompt": "a hill", "webhook": {"url": "https://hooks.example/studio"}}

    response = await program.post("/tasks", body, Prefer="wait=60")

    assert response.status_code == 201
    assert "Preference-Applied" not in response
    task = response.json()
    assert task["status"] == "queued"
    assert task["webhook"]["secret"]
    read = await program.get(response["Location"], Prefer="wait=60")
    assert (read.status_code, read.json()["status"]) == (200, "queued")


async def test_a_server_that_stops_still_answers_what_it_accepted(program: Program) -> None:
    posted = asyncio.create_task(program.post("/tasks", {"prompt": "a hill"}, Prefer="wait=60"))
    while not any(hub.subscriptions.values()):  # noqa: ASYNC110  the request is on its way
        await asyncio.sleep(0.01)

    await hub.close_sockets(CloseCode.LEAVING)

    response = await asyncio.wait_for(posted, PATIENCE)
    assert response.status_code == 201
    assert "Preference-Applied" not in response
    assert response["Location"] == response.json()["urls"]["self"]


async def test_the_same_key_and_body_are_the_same_task(program: Program) -> None:
    body = {"prompt": "once"}
    first = await program.post("/tasks", body, Idempotency_Key="order 7")

    again = await program.post("/tasks", body, Idempotency_Key="order 7")
    other = await program.post("/tasks", {"prompt": "twice"}, Idempotency_Key="order 7")

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 422)
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert again.json()["id"] == first.json()["id"]
    assert other.json()["code"] == "request_key_reused"
    assert await GenerationTask.objects.acount() == 1


async def test_keys_of_two_users_are_different(
    program: Program, new_program: NewProgram, bob: User
) -> None:
    other = await new_program(bob)
    tasks = [
        (await each.post("/tasks", {"prompt": "x"}, Idempotency_Key="1")).json()
        for each in (program, other)
    ]

    assert tasks[0]["id"] != tasks[1]["id"]


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ("{", 400, "not_json", None),
        ("[]", 422, "bad_message", None),
        ({}, 422, "bad_message", "prompt"),
        ({"prompt": " "}, 422, "prompt_empty", "prompt"),
        ({"prompt": "x\0"}, 422, "prompt_invalid", "prompt"),
        ({"prompt": "x" * 2_001}, 422, "prompt_too_long", "prompt"),
        ({"prompt": "x", "size": "1x1"}, 422, "size_invalid", "size"),
        ({"prompt": "x", "n": 5}, 422, "count_invalid", "n"),
        ({"prompt": "x", "seed": 2**40}, 422, "seed_invalid", "seed"),
        ({"prompt": "x", "colour": "red"}, 422, "unknown_field", "colour"),
        ({"prompt": "x", "action": "ping"}, 422, "unknown_field", "action"),
        ({"prompt": "x", "request_key": NOWHERE}, 422, "unknown_field", "request_key"),
        ({"prompt": "x", "model": "no such"}, 422, "model_unknown", "model"),
        ({"prompt": "x", "parent": NOWHERE}, 422, "not_found", "parent"),
    ],
)
async def test_a_submission_that_cannot_be_used_is_a_problem(
    program: Program, body: Any, status: int, code: str, field: str | None
) -> None:
    response = await program.post("/tasks", body)

    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (problem["code"], problem.get("field")) == (code, field)
    assert problem["type"] == f"urn:liujuan-studio:error:{code}"
    assert problem["status"] == status
    assert problem["title"]
    assert not await GenerationTask.objects.aexists()


async def test_a_key_that_is_too_long_is_refused(program: Program) -> None:
    response = await program.post("/tasks", {"prompt": "x"}, Idempotency_Key="k" * 256)

    assert response.json()["field"] == "Idempotency-Key"


async def test_a_time_limit_is_kept(program: Program, model: str) -> None:
    response = await program.post("/tasks", {"prompt": "x"}, Cancel_After="300")
    task = response.json()
    await program.post(task["urls"]["cancel"])
    retried = (await program.post(task["urls"]["retry"], Cancel_After="60")).json()
    unlimited = await program.submit()

    assert task["cancel_after"] == pytest.approx(task["created"] + 300)
    assert retried["cancel_after"] == pytest.approx(retried["created"] + 60)
    assert unlimited["cancel_after"] is None
    assert (await program.get(task["urls"]["self"])).json()["cancel_reason"] is None


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "5s", "86401", "9999999", "²"])
async def test_a_time_limit_that_cannot_be_used_is_a_problem(program: Program, text: str) -> None:
    task = await program.submit()
    await program.post(task["urls"]["cancel"])

    for url in ("/tasks", task["urls"]["retry"]):
        response = await program.post(url, {"prompt": "x"}, Cancel_After=text)
        assert response.status_code == 422
        problem = response.json()
        assert (problem["code"], problem["field"]) == ("cancel_after_invalid", "Cancel-After")
    assert await GenerationTask.objects.acount() == 1


async def test_a_running_task_ends_at_its_time_limit(
    program: Program, start_worker: StartWorker
) -> None:
    await start_worker(faults=[{"do": "hold", "seconds": 60}])

    response = await program.post(
        "/tasks", {"prompt": "x", **SMALL}, Cancel_After="1", Prefer="wait=30"
    )

    task = response.json()
    assert (task["status"], task["cancel_reason"]) == ("cancelled", "time_limit")
    assert task["claimed_at"] is not None


async def test_a_task_is_cancelled_and_tried_again(program: Program) -> None:
    task = await program.submit("a tower", seed=5)

    answers = [(await program.post(task["urls"]["cancel"])).json() for _each in range(2)]
    retried = await program.post(task["urls"]["retry"])
    again = await program.post(task["urls"]["retry"])

    assert answers == [{"answer": "cancelled"}] * 2
    assert (retried.status_code, again.status_code) == (201, 200)
    assert retried.json()["parent"] == task["id"]
    assert retried.json()["settings"]["seed"] == 5
    assert again.json()["id"] == retried.json()["id"]
    unfinished = await program.post(retried.json()["urls"]["retry"])
    assert (unfinished.status_code, unfinished.json()["code"]) == (409, "not_allowed_now")


async def test_a_failed_task_says_why(
    program: Program, alice: User, model: str, worker: Worker, now: datetime
) -> None:
    task = await sync_to_async(failed_task)(alice, worker, now)

    shown = (await program.get(f"/tasks/{task.pk}")).json()

    assert shown["status"] == "failed"
    assert shown["error"]["code"] == "request_refused"
    assert "10.0.0.1" not in str(shown)


async def test_a_deleted_task_is_gone_until_it_is_restored(
    program: Program, alice: User, model: str, now: datetime, media: Any
) -> None:
    task = await sync_to_async(finished_task)(alice, now)
    path = f"/tasks/{task.pk}"

    assert (await program.call("DELETE", path)).status_code == 204
    gone = await program.get(path)
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
    assert (await program.get("/tasks")).json()["tasks"] == []

    assert (await program.post(f"{path}/restore")).json()["id"] == str(task.pk)
    assert len((await program.get("/tasks")).json()["tasks"]) == 1


async def test_an_unfinished_task_cannot_be_deleted(program: Program) -> None:
    task = await program.submit()

    response = await program.call("DELETE", task["urls"]["self"])

    assert (response.status_code, response.json()["code"]) == (409, "not_allowed_now")


async def test_lists_are_read_page_by_page(program: Program) -> None:
    ids = [(await program.submit(f"number {n}"))["id"] for n in range(5)]

    seen, path = [], "/tasks?limit=2&text=number+"
    while path:
        response = await program.get(path)
        page = response.json()
        seen += [task["id"] for task in page["tasks"]]
        path = next_of(response)
        assert bool(path) == bool(page["next"])
        await program.submit("number 9")  # comes before every cursor

    assert seen == ids[::-1]


def next_of(response: Any) -> str:
    """The address in `Link`; empty without it."""
    address, _semicolon, relation = response.headers.get("Link", "").partition("; ")
    assert relation in ("", 'rel="next"')
    return str(address.strip("<>"))


async def test_lists_are_filtered(program: Program, model: str, worker: Worker) -> None:
    await program.submit("a blue gate")
    gate = await claim(worker)
    await sync_to_async(complete)(gate, gate.task.created)
    await program.submit("a red gate")
    await program.submit("a bridge")

    async def prompts(query: str) -> list[str]:
        page = (await program.get(f"/tasks?{query}")).json()
        return [task["settings"]["prompt"] for task in page["tasks"]]

    assert await prompts("text=gate") == ["a red gate", "a blue gate"]
    assert await prompts("status=completed") == ["a blue gate"]
    assert await prompts("status=running&text=GATE") == ["a red gate"]
    assert await prompts("favourite=true") == []
    assert await prompts("since=4102444800") == []
    assert await prompts("model=other") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=odd", "status"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("before=odd", "before"),
        ("since=odd", "since"),
        ("favourite=odd", "favourite"),
    ],
)
async def test_a_query_that_cannot_be_used_is_a_problem(
    program: Program, query: str, field: str
) -> None:
    response = await program.get(f"/tasks?{query}")

    assert (response.status_code, response.json()["code"]) == (422, "bad_message")
    assert response.json()["field"] == field
