"""Event streams: the frames of a socket, each once and in order, to their owner."""

from __future__ import annotations

import asyncio
import json

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from generation import broadcast
from generation.hub import StreamOutbox, hub
from generation.limits import MAX_QUEUED_FRAMES
from generation.models import Worker
from generation.sessions import session_credentials, stream
from tests.fallback.http_clients import HttpClient, OpenStream, SignedIn, StreamClient
from tests.socket.task_events import claim, complete, progress

pytestmark = pytest.mark.usefixtures("model")


async def seqs_until(reader: StreamClient, task_id: str, last: int) -> list[int]:
    while last not in reader.seqs(task_id):
        await reader.receive()
    return reader.seqs(task_id)


async def test_hello_precedes_replays(
    worker: Worker, open_stream: OpenStream, person: HttpClient
) -> None:
    first, second = await person.generate("first"), await person.generate("second")
    await progress(await claim(worker), 2)

    reader = await open_stream()
    await reader.until("live")
    await reader.until("live")

    assert dict(reader.start["headers"])[b"Content-Type"].startswith(b"text/event-stream")
    assert dict(reader.start["headers"])[b"X-Accel-Buffering"] == b"no"
    assert b"no-store" in dict(reader.start["headers"])[b"Cache-Control"]
    assert reader.messages[0]["protocol"] == 1
    assert [each["task_id"] for each in reader.messages[0]["active"]] == [first, second]
    assert reader.types() == [
        *("hello", "task", *["progress"] * 5, "live"),
        *("task", "progress", "live"),
    ]
    assert (reader.seqs(first), reader.seqs(second)) == ([1, 2, 3, 4, 5], [1])


async def test_a_task_is_followed_to_its_end_without_being_asked_for(
    worker: Worker, reader: StreamClient, person: HttpClient
) -> None:
    task_id = await person.generate("noticed by itself")

    notice = await reader.until("task")
    await complete(await claim(worker))
    result = await reader.until("result")

    assert notice["task"]["prompt"] == "noticed by itself"
    assert (result["progress"], result["status"]) == (100, "completed")
    assert reader.seqs(task_id) == [1, 2, 3, 4, 5]


async def test_new_tasks_are_found(alice: User, reader: StreamClient, person: HttpClient) -> None:
    group = broadcast.group_of(alice.pk)
    await broadcast.layer().group_discard(group, hub.groups.channel)

    task_id = await person.generate()
    await hub.compare()

    assert (await reader.until("live"))["task_id"] == task_id
    assert reader.seqs(task_id) == [1]


async def test_missed_tasks_are_sent(alice: User, person: HttpClient, reader: StreamClient) -> None:
    group = broadcast.group_of(alice.pk)
    await broadcast.layer().group_discard(group, hub.groups.channel)

    task_id = await person.generate()
    await person.send(action="cancel", task_id=task_id)
    for _each in range(3):
        await hub.compare()
    await reader.until("live")
    for _each in range(3):
        await hub.compare()
    another = await person.generate("the next one")
    await hub.compare()

    assert reader.seqs(task_id) == [1, 2, 3]
    assert (await reader.until("task"))["task_id"] == another


async def test_a_task_between_streams_is_sent(open_stream: OpenStream, person: HttpClient) -> None:
    first = await open_stream()
    hello = await first.until("hello")
    await first.close()
    task_id = await person.generate()
    await person.send(action="cancel", task_id=task_id)

    second = await open_stream({}, since=hello["server_time"])
    await second.until("live")

    assert second.seqs(task_id) == [1, 2, 3]


async def test_a_cursor_that_was_given_outlives_a_notice(alice: User, running_hub: None) -> None:
    """A ring of a task may come while its stream is being set up."""

    async def close(_code: int) -> None: ...

    outbox = StreamOutbox(owner_id=alice.pk, close=close, known={"task": 4, "over": 9})
    outbox.notify("task", "{}")
    outbox.notify("new", "{}")
    outbox.expect(["task"], instead_of=["task", "over"])

    assert outbox.known() == {"task": 4, "new": 0}


async def test_a_position_waits_for_a_full_outbox(alice: User, person: HttpClient) -> None:
    async def close(_code: int) -> None: ...

    task_id = await person.generate()
    outbox = StreamOutbox(owner_id=alice.pk, close=close, known={})
    await hub.register(outbox)
    await hub.attach(outbox, task_id=task_id, owner_id=alice.pk, after=1)

    outbox.frames[:] = ["something else"] * MAX_QUEUED_FRAMES
    await hub.publish_positions()
    outbox.frames.clear()
    await hub.publish_positions()
    await hub.unregister(outbox)

    assert [json.loads(frame)["type"] for frame in outbox.frames] == ["queue"]


async def test_lost_messages_are_read(
    alice: User, worker: Worker, open_stream: OpenStream, person: HttpClient
) -> None:
    task_id = await person.generate()
    reader = await open_stream()
    await reader.until("live")
    group = broadcast.group_of(alice.pk)
    await broadcast.layer().group_discard(group, hub.groups.channel)

    await complete(await claim(worker))
    await hub.compare()

    assert await seqs_until(reader, task_id, 5) == [1, 2, 3, 4, 5]


async def test_a_storm_reaches_a_reader_that_comes_in_its_middle_without_a_gap(
    worker: Worker, open_stream: OpenStream, person: HttpClient
) -> None:
    task_id = await person.generate()
    running = await claim(worker)
    storm = asyncio.create_task(progress(running, 600))
    readers = []
    for _each in range(3):
        readers.append(await open_stream())
        await asyncio.sleep(0.1)
    await storm

    for reader in readers:
        assert await seqs_until(reader, task_id, 603) == list(range(1, 604))


async def test_only_missing_events_are_sent(
    worker: Worker, open_stream: OpenStream, person: HttpClient
) -> None:
    task_id = await person.generate()
    await progress(await claim(worker), 5)

    reader = await open_stream({task_id: 4})
    await reader.until("live")

    assert reader.seqs(task_id) == [5, 6, 7, 8]


async def test_the_last_id_alone_is_enough_to_go_on(
    worker: Worker, open_stream: OpenStream, monkeypatch: pytest.MonkeyPatch, person: HttpClient
) -> None:
    monkeypatch.setattr(stream, "ID_INTERVAL", 0.0)
    task_id = await person.generate()
    running = await claim(worker)
    await progress(running, 5)
    first = await open_stream()
    await first.until("live")
    stream_id = first.last_id
    await first.close()
    await complete(running)

    second = await open_stream(last_id=stream_id)
    await second.until("result")

    assert stream_id == json.dumps({task_id: 8}, separators=(",", ":"))
    assert second.seqs(task_id) == [9, 10]


async def test_a_task_that_ended_meanwhile_is_replayed(
    worker: Worker, open_stream: OpenStream, person: HttpClient
) -> None:
    task_id = await person.generate()
    await complete(await claim(worker))

    behind = await open_stream({task_id: 2})
    await behind.until("live")
    knowing = await open_stream({task_id: 5})
    await knowing.until("hello")

    assert behind.seqs(task_id) == [3, 4, 5]
    assert task_id in json.dumps([behind.last_id, behind.messages])
    assert task_id not in json.dumps(knowing.messages)


async def test_events_are_private(
    alice: User, bob: User, open_stream: OpenStream, signed_in: SignedIn
) -> None:
    task_id = await (await signed_in(alice)).generate("secret")

    reader = await open_stream({task_id: 0, "no id at all": 7}, user=bob)
    await reader.until("hello")
    mine = await (await signed_in(bob)).generate("mine")
    await reader.until("live")

    assert {m["task_id"] for m in reader.messages if "task_id" in m} == {mine}


async def test_staff_follow_the_task_they_name_and_no_other(
    rita: User, open_stream: OpenStream, person: HttpClient
) -> None:
    named, other = await person.generate("named"), await person.generate("other")

    reader = await open_stream({named: 0}, user=rita)
    assert (await reader.until("live"))["task_id"] == named
    await person.send(action="cancel", task_id=other)
    await person.send(action="cancel", task_id=named)
    await reader.until("cancelled")

    assert other not in {m.get("task_id") for m in reader.messages}


async def test_a_stalled_reader_holds_few_frames(worker: Worker, person: HttpClient) -> None:
    task_id = await person.generate()
    running = await claim(worker)
    credentials = session_credentials({settings.SESSION_COOKIE_NAME: person.session_key})
    chunks = stream.EventStream(credentials, {}).chunks()
    text = ""
    while '"live"' not in text:
        text += await anext(chunks)

    await progress(running, 700)
    (outbox,) = hub.all_outboxes()
    waiting = len(outbox.frames)
    while '"seq":703,' not in text:
        text += await anext(chunks)
    await chunks.aclose()

    assert 0 < waiting <= 256
    frames = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
    seqs = [frame["seq"] for frame in frames if frame.get("task_id") == task_id and "kind" in frame]
    assert seqs == list(range(1, 704))
    assert not hub.outboxes


async def test_what_cannot_be_read_in_the_address_is_refused(person: HttpClient) -> None:
    wrong = [{"cursors": cursors} for cursors in ("nonsense", "[]", '{"t": -1}')]
    for query in [*wrong, {"since": "yesterday"}, {"since": "1e99"}]:
        for address in ("/events/", "/events/poll/"):
            answer = await person.client.get(address, query)
            assert answer.status_code == 400
            assert json.loads(answer.content)["code"] in ("not_json", "bad_message")
