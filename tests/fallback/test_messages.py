"""A message by POST has the same responses as on a socket, for its sender alone."""

from __future__ import annotations

import json
import uuid

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import AsyncClient

from generation.models import GenerationTask, Worker
from generation.sessions import TokenBucket, request_buckets
from generation.sessions.poll import MAX_EVENTS
from tests.fallback.http_clients import HttpClient, SignedIn
from tests.socket.task_events import claim, complete, lengthen, progress

pytestmark = pytest.mark.usefixtures("model")


async def test_a_submission_is_acknowledged_with_its_first_event(person: HttpClient) -> None:
    key = str(uuid.uuid4())

    frames = await person.send(action="generate", prompt="by letter", request_key=key)
    again = await person.send(action="generate", prompt="by letter", request_key=key)

    assert [frame["type"] for frame in frames] == ["ack", "progress", "queue"]
    assert (frames[0]["request_key"], frames[0]["duplicate"]) == (key, False)
    assert frames[1]["seq"] == 1
    assert (again[0]["task_id"], again[0]["duplicate"]) == (frames[0]["task_id"], True)
    assert await GenerationTask.objects.acount() == 1


async def test_attach_replays_up_to_now(worker: Worker, person: HttpClient) -> None:
    task_id = await person.generate()
    await progress(await claim(worker), 3)

    frames = await person.send(action="attach", task_id=task_id, after=2)

    assert [frame["type"] for frame in frames] == ["task", *["progress"] * 4, "live"]
    assert [frame["seq"] for frame in frames[1:]] == [3, 4, 5, 6, 6]


async def test_a_long_log_comes_in_parts(person: HttpClient) -> None:
    task_id = await person.generate()
    newest = MAX_EVENTS + 13
    await lengthen(task_id, newest)
    seqs: list[int] = []

    *frames, live = await person.send(action="attach", task_id=task_id)
    seqs += [frame["seq"] for frame in frames if "kind" in frame]
    assert (len(seqs), live["seq"]) == (MAX_EVENTS, newest)
    *frames, live = await person.send(action="attach", task_id=task_id, after=seqs[-1])
    seqs += [frame["seq"] for frame in frames if "kind" in frame]

    assert live["seq"] == newest
    assert seqs == list(range(1, newest + 1))


async def test_cancel_retry_and_detach(person: HttpClient) -> None:
    task_id = await person.generate()

    (answer,) = await person.send(action="cancel", task_id=task_id)
    ack, *_events = await person.send(action="retry", task_id=task_id)

    assert answer["answer"] == "cancelled"
    assert ack["task"]["parent"] == task_id
    assert await person.send(action="detach", task_id=task_id) == []


async def test_a_ping_returns_asked_cursors(alice: User, bob: User, signed_in: SignedIn) -> None:
    person, stranger = await signed_in(alice), await signed_in(bob)
    asked, other = await person.generate("asked"), await person.generate("other")

    (pong,) = await person.send(action="ping", cursors={asked: 0, "no id": 3})
    (nothing,) = await stranger.send(action="ping", cursors={asked: 0, other: 0})

    assert (pong["type"], pong["cursors"]) == ("pong", {asked: 1})
    assert nothing["cursors"] == {}


@pytest.mark.parametrize("action", ["attach", "cancel", "retry", "detach"])
async def test_another_persons_task_is_not_found(
    alice: User, bob: User, signed_in: SignedIn, action: str
) -> None:
    task_id = await (await signed_in(alice)).generate()
    key = str(uuid.uuid4())

    frames = await (await signed_in(bob)).send(action=action, task_id=task_id, request_key=key)

    assert [(frame["code"], frame["request_key"]) for frame in frames] == [("not_found", key)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "not_json"),
        ('{"action": "dance"}', "unknown_action"),
        ('{"action": "generate", "prompt": ""}', "prompt_empty"),
        (json.dumps({"action": "generate", "prompt": "x" * 70_000}), "too_long"),
        (json.dumps({"action": "generate", "prompt": "x" * 3_000_000}), "too_long"),
        (b'{"action": "generate", "prompt": "\xff"}', "not_json"),
    ],
)
async def test_bad_messages_are_refused(text: str | bytes, code: str, person: HttpClient) -> None:
    answer = await person.post(text)

    (frame,) = json.loads(answer.content)["frames"]
    assert (answer.status_code, frame["type"], frame["code"]) == (200, "error", code)


async def test_only_our_own_pages_may_send(alice: User, signed_in: SignedIn) -> None:
    person = await signed_in(alice, checks_csrf=True)
    page = await person.client.get("/")
    token = page.cookies[settings.CSRF_COOKIE_NAME].value
    ping = json.dumps({"action": "ping"})

    assert (await person.post(ping)).status_code == 403
    assert (await person.post(ping, **{"X-CSRFToken": token})).status_code == 200


async def test_a_form_is_no_message(alice: User, signed_in: SignedIn) -> None:
    """Its parts are gone once Django has looked for the form token in them."""
    person = await signed_in(alice, checks_csrf=True)
    page = await person.client.get("/")
    form = {"csrfmiddlewaretoken": page.cookies[settings.CSRF_COOKIE_NAME].value, "action": "ping"}

    answer = await person.client.post("/messages/", form)

    (frame,) = json.loads(answer.content)["frames"]
    assert (answer.status_code, frame["code"]) == (200, "not_json")


async def test_fast_senders_are_throttled(alice: User, bob: User, signed_in: SignedIn) -> None:
    person, another = await signed_in(alice), await signed_in(bob)
    # nothing comes back while the test runs, however long that takes
    request_buckets.by_owner[alice.pk] = TokenBucket(rate=0)

    answers = [await person.post('{"action": "dance"}') for _each in range(61)]

    assert [answer.status_code for answer in answers] == [*[200] * 60, 429]
    assert json.loads(answers[-1].content)["code"] == "flooding"
    assert (await another.post('{"action": "dance"}')).status_code == 200


@pytest.mark.parametrize(("method", "address"), [("post", "/messages/"), ("get", "/events/poll/")])
async def test_anonymous_and_disabled_users_get_different_codes(
    alice: User, method: str, address: str, person: HttpClient
) -> None:
    await User.objects.filter(pk=alice.pk).aupdate(is_active=False)

    stranger = await getattr(AsyncClient(), method)(address)
    disabled = await getattr(person.client, method)(address)

    assert (stranger.status_code, disabled.status_code) == (403, 403)
    assert json.loads(stranger.content)["code"] == "not_signed_in"
    assert json.loads(disabled.content)["code"] == "account_disabled"


async def test_a_poll_has_the_frames_of_a_stream(
    bob: User, worker: Worker, signed_in: SignedIn, person: HttpClient
) -> None:
    ended, running = await person.generate("ended"), await person.generate("running")
    strange = await (await signed_in(bob)).generate("strange")
    await complete(await claim(worker))

    hello, *frames = await person.poll(**{ended: 3, strange: 0})

    assert [each["task_id"] for each in hello["active"]] == [running]
    assert [(f["type"], f["task_id"]) for f in frames if f["type"] != "queue"] == [
        ("progress", ended),
        ("result", ended),
        ("live", ended),
        ("task", running),
        ("progress", running),
        ("live", running),
    ]
    assert frames[-1]["type"] == "queue"
    assert frames[-1]["tasks"].keys() == {running}
    (again, *_rest) = await person.poll(**{ended: 5})
    assert again["type"] == "hello"


async def test_polling_sees_every_event_once(worker: Worker, person: HttpClient) -> None:
    task_id = await person.generate()
    running = await claim(worker)
    seqs: list[int] = []
    for _each in range(5):
        await progress(running, 10)
        frames = await person.poll(**{task_id: max(seqs, default=0)})
        seqs += [frame["seq"] for frame in frames if "kind" in frame]

    assert seqs == list(range(1, 54))


async def test_tasks_between_polls_are_sent(alice: User, bob: User, signed_in: SignedIn) -> None:
    page, elsewhere, stranger = [await signed_in(user) for user in (alice, alice, bob)]
    before, *_frames = await page.poll()
    await stranger.send(action="cancel", task_id=await stranger.generate())
    task_id = await elsewhere.generate("came and went")
    await elsewhere.send(action="cancel", task_id=task_id)

    hello, *frames = await page.poll(since=before["server_time"])
    _hello, *again = await page.poll(since=hello["server_time"], **{task_id: 3})

    assert hello["active"] == []
    assert [frame["type"] for frame in frames] == ["task", *["progress"] * 2, "cancelled", "live"]
    assert {frame["task_id"] for frame in frames} == {task_id}
    assert again == []
