"""Made-up messages to the socket: it stays alive, or closes with a documented code."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from generation.protocol.client_messages import ACTIONS
from generation.protocol.close_codes import CloseCode
from tests.conftest import serve_model
from tests.fuzz.inputs import CANARY, INPUTS, Fuzzed, create_fuzzed
from tests.socket.sockets import PATIENCE, Page, cookie_of

AT_ONCE = 50
MESSAGES = max(AT_ONCE, INPUTS - INPUTS // 10)
OWN, FOREIGN = "own task", "task of another user"

names = st.sampled_from(
    sorted({name for _kind, each, _needed in ACTIONS.values() for name in each})
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([OWN, FOREIGN, "512x512", "1x1", str(uuid.UUID(int=1)), "\0", "\ud800"])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=5,
)
plausible = st.builds(
    lambda action, fields: {**fields, "action": action},
    st.sampled_from(sorted(ACTIONS)),
    st.dictionaries(names | st.text(max_size=5), values, max_size=4),
)
about_a_task = st.builds(
    lambda action, task: {"action": action, "task_id": task},
    st.sampled_from(["attach", "detach", "cancel", "retry"]),
    st.sampled_from([OWN, FOREIGN]),
)
messages = (
    plausible.map(json.dumps)
    | about_a_task.map(json.dumps)
    | values.map(json.dumps)
    | st.text(max_size=50)
    | st.binary(max_size=20)
    | st.sampled_from(["[" * 60_000, "1" * 70_000, '{"action": "ping"}' * 2])
)


@pytest.fixture
async def fuzzed(running_hub: None, media: Path, now: datetime) -> Fuzzed:
    await sync_to_async(serve_model)(now=now)
    return await sync_to_async(create_fuzzed)()


async def test_made_up_messages_leave_the_socket_alive(fuzzed: Fuzzed) -> None:
    made_up: list[str | bytes] = []

    # one by one: no two of them are made by the same choices
    @settings(
        max_examples=MESSAGES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(messages)
    def collect(message: str | bytes) -> None:
        made_up.append(message)
        fuzzed.bodies.add(repr(message))
        fuzzed.kinds |= {action for action in ACTIONS if f'"action": "{action}"' in str(message)}

    collect()
    headers = {
        "host": "testserver",
        "origin": "http://testserver",
        "cookie": await cookie_of(fuzzed.user),
    }
    for number, first in enumerate(range(0, len(made_up), AT_ONCE)):
        batch = made_up[first : first + AT_ONCE]
        page = await Page(headers).open()
        for message in batch:
            await send(page, message, fuzzed, number)
        fuzzed.counts[await answers(page)] += len(batch)
        await page.close()
    print(fuzzed.report("messages", kinds=4, bodies=len(made_up) // 2))


async def send(page: Page, message: str | bytes, fuzzed: Fuzzed, number: int) -> None:
    if isinstance(message, bytes):
        await page.socket.send_input({"type": "websocket.receive", "bytes": message})
        return
    own, foreign = (ids[number % len(ids)] for ids in (fuzzed.own, fuzzed.foreign))
    text = message.replace(OWN, own).replace(FOREIGN, foreign)
    await page.socket.send_input({"type": "websocket.receive", "text": text})


async def answers(page: Page) -> str:
    """How the socket is after all messages: alive, or closed with a documented code."""
    key = str(uuid.uuid4())
    await page.send(action="cancel", task_id="no task", request_key=key)
    while True:
        output: dict[str, Any] = await page.socket.receive_output(timeout=PATIENCE)
        if output["type"] == "websocket.close":
            return f"closed with {CloseCode(output['code']).name}"
        assert CANARY not in output["text"]
        frame = json.loads(output["text"])
        assert frame.get("code") not in ("internal_error", "unavailable"), frame
        if frame.get("request_key") == key:
            return "answered"
