"""Invalid messages get a clear error, lose nothing, and leave the socket usable."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import translation

from generation.error_codes import ErrorCode
from generation.hub import hub
from generation.models import GenerationTask
from tests.socket.sockets import OpenPage, Page

UNKNOWN = "7d0f2a52-3e0c-4a39-9d5b-6b2f0a1c4e11"
KEY = str(uuid.uuid4())
GUIDANCE = ("guidance_invalid", "guidance")


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        ("{", "not_json", None),
        (" ", "not_json", None),
        ("[" * 60_000, "not_json", None),
        ("[1]", "bad_message", None),
        ("null", "bad_message", None),
        ('{"action": "paint"}', "unknown_action", "action"),
        ('{"action": ["generate"]}', "unknown_action", "action"),
        ("{}", "unknown_action", "action"),
        ('{"action": "generate"}', "bad_message", "prompt"),
        ('{"action": "generate", "prompt": 7}', "bad_message", "prompt"),
        ('{"action": "generate", "prompt": ""}', "prompt_empty", "prompt"),
        ('{"action": "generate", "prompt": "a\\u0000"}', "prompt_invalid", "prompt"),
        ('{"action": "generate", "prompt": "x", "colour": 1}', "unknown_field", "colour"),
        ('{"action": "generate", "prompt": "x", "size": "big"}', "size_invalid", "size"),
        ('{"action": "generate", "prompt": "x", "size": "500x512"}', "size_invalid", "size"),
        ('{"action": "generate", "prompt": "x", "n": 5}', "count_invalid", "n"),
        ('{"action": "generate", "prompt": "x", "n": true}', "count_invalid", "n"),
        ('{"action": "generate", "prompt": "x", "steps": 0}', "steps_invalid", "steps"),
        ('{"action": "generate", "prompt": "x", "steps": 1.5}', "steps_invalid", "steps"),
        ('{"action": "generate", "prompt": "x", "seed": -1}', "seed_invalid", "seed"),
        ('{"action": "generate", "prompt": "x", "guidance": NaN}', *GUIDANCE),
        (f'{{"action": "generate", "prompt": "x", "guidance": {10**400}}}', *GUIDANCE),
        ('{"action": "generate", "prompt": "x", "model": "y"}', "model_unknown", "model"),
        (
            '{"action": "generate", "prompt": "x", "request_key": "1"}',
            "request_key_invalid",
            "request_key",
        ),
        ('{"action": "attach"}', "bad_message", "task_id"),
        ('{"action": "attach", "task_id": "../etc"}', "not_found", None),
        (f'{{"action": "attach", "task_id": "{UNKNOWN}", "after": -1}}', "bad_message", "after"),
        (f'{{"action": "attach", "task_id": "{UNKNOWN}"}}', "not_found", None),
        (f'{{"action": "detach", "task_id": "{UNKNOWN}"}}', "not_found", None),
        (f'{{"action": "cancel", "task_id": "{UNKNOWN}"}}', "not_found", None),
        (f'{{"action": "retry", "task_id": "{UNKNOWN}"}}', "not_found", None),
        ('{"action": "ping", "cursors": [1]}', "bad_message", "cursors"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)
async def test_bad_messages_get_errors(text: str, code: str, field: str | None, page: Page) -> None:
    await page.socket.send_to(text_data=text)

    refusal = await page.receive()
    assert (refusal["type"], refusal["code"]) == ("error", code)
    assert refusal.get("field") == field
    assert refusal["message"]
    assert "seq" not in refusal
    assert await GenerationTask.objects.acount() == 0
    assert (await page.ask(action="ping"))["type"] == "pong"


async def test_a_binary_frame_is_refused(page: Page) -> None:
    await page.socket.send_to(bytes_data=b"\x00\x01")

    assert (await page.receive())["code"] == "binary_frame"
    assert (await page.ask(action="ping"))["type"] == "pong"


async def test_a_frame_of_more_than_64_kib_is_refused(page: Page) -> None:
    message = {"action": "generate", "prompt": "柳" * 22_000}

    await page.socket.send_to(text_data=json.dumps(message, ensure_ascii=False))

    assert (await page.receive())["code"] == "too_long"
    assert (await page.ask(action="ping"))["type"] == "pong"


@pytest.mark.parametrize("wrong", [{"prompt": ""}, {"prompt": 7}, {"prompt": "x", "hue": 1}])
async def test_a_refusal_echoes_the_request_key(wrong: dict[str, Any], page: Page) -> None:
    refusal = await page.ask(action="generate", request_key=KEY, **wrong)

    assert refusal["request_key"] == KEY


async def test_anothers_task_is_not_found(bob: User, open_page: OpenPage) -> None:
    task_id = await (await open_page()).generate()
    stranger = await open_page(bob)
    answers: list[Any] = []

    for action in ("attach", "detach", "cancel", "retry"):
        theirs = await stranger.ask(action=action, task_id=task_id)
        nobodys = await stranger.ask(action=action, task_id=UNKNOWN)
        answers.append(theirs)
        assert theirs == nobodys

    assert {answer["code"] for answer in answers} == {"not_found"}


async def test_staff_watch_but_do_not_change(rita: User, open_page: OpenPage) -> None:
    task_id = await (await open_page()).generate()
    staff = await open_page(rita)

    await staff.send(action="attach", task_id=task_id)

    assert (await staff.until("live"))["seq"] >= 1
    assert (await staff.ask(action="cancel", task_id=task_id))["code"] == "not_found"
    assert (await staff.ask(action="retry", task_id=task_id))["code"] == "not_found"


async def test_one_request_key_on_two_sockets(open_page: OpenPage) -> None:
    first, second = await open_page(), await open_page()

    task_id = await first.generate(request_key=KEY)
    await second.send(action="generate", prompt="LiuJuan", request_key=KEY)
    again = await second.until("ack")
    other = await second.ask(action="generate", prompt="other", request_key=KEY)

    assert (again["task_id"], again["duplicate"]) == (task_id, True)
    assert other["code"] == "request_key_reused"
    assert await GenerationTask.objects.acount() == 1


async def test_a_repeated_request_sends_no_event_twice(page: Page) -> None:
    task_id = await page.generate(request_key=KEY)
    await page.until("submitted")
    await page.send(action="generate", prompt="LiuJuan", request_key=KEY)
    again = await page.until("ack")
    await page.ask(action="ping")

    assert (again["task_id"], again["duplicate"]) == (task_id, True)
    assert [m["seq"] for m in page.messages if "kind" in m] == [1]


async def test_a_task_that_is_not_over_cannot_be_retried(page: Page) -> None:
    task_id = await page.generate()

    assert (await page.ask(action="retry", task_id=task_id))["code"] == "not_allowed_now"


async def test_a_flood_is_closed_with_its_own_code(page: Page) -> None:
    for _each in range(100):
        await page.send(action="ping")

    assert await page.close_code() == 4429


async def test_one_socket_can_watch_two_hundred_tasks(page: Page) -> None:
    (outbox,) = hub.all_outboxes()
    task_id = await page.generate()
    for number in range(199):
        await hub.subscribe(outbox, f"{number}").reset(1)

    refusal = await page.ask(action="generate", prompt="one more")

    assert refusal["code"] == "too_many_attached"
    await page.send(action="attach", task_id=task_id)
    assert (await page.until("live"))["task_id"] == task_id


def test_every_error_has_both_languages() -> None:
    for code in ErrorCode:
        with translation.override("en"):
            english = str(code.label)
        with translation.override("zh-hans"):
            chinese = str(code.label)
        assert english != chinese
        assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese)


@pytest.mark.parametrize(
    "text",
    [
        '{"action": "ping", "\\ud800": 1}',
        '{"action": "generate", "prompt": "x", "model": "\\ud800"}',
        '{"action": "generate", "prompt": "x", "model": "a\\u0000"}',
        '{"action": "attach", "task_id": "\\ud800"}',
    ],
)
async def test_invalid_text_does_not_break_the_socket(text: str, page: Page) -> None:
    await page.socket.send_to(text_data=text)

    assert (await page.receive())["type"] == "error"
    assert (await page.ask(action="ping"))["type"] == "pong"


async def test_a_future_cursor_is_corrected(open_page: OpenPage, page: Page) -> None:
    task_id = await page.generate()
    other = await open_page()

    await other.send(action="attach", task_id=task_id, after=999)

    assert (await other.until("live"))["seq"] == 1
    await other.send(action="cancel", task_id=task_id)
    assert (await other.until("cancelled"))["seq"] == 3
