"""Replay and live events: each once and in order, to authorised clients, despite lost messages."""

from __future__ import annotations

import asyncio
import threading
import uuid

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User

from generation import broadcast
from generation.clock import clock
from generation.hub import hub
from generation.models import Worker
from generation.services.log_pruning import prune_log
from tests.socket.sockets import PATIENCE, OpenPage, Page, cookie_of
from tests.socket.task_events import claim, complete, progress, seqs_until

pytestmark = pytest.mark.usefixtures("model")


async def test_the_tutorials_messages_arrive_in_its_order(worker: Worker, page: Page) -> None:
    task_id = await page.generate()
    await complete(await claim(worker))

    result = await page.until("result")

    types = [m["type"] for m in page.messages if m["type"] not in ("hello", "queue")]
    assert types == ["ack", "progress", "progress", "progress", "progress", "result"]
    assert (result["progress"], result["status"]) == (100, "completed")
    assert result["data"]["data"][0]["url"] == f"/pictures/{task_id}/1/"
    assert isinstance(result["data"]["created"], int)


async def test_hello_precedes_a_task_that_comes_during_the_handshake(
    alice: User, open_page: OpenPage
) -> None:
    first = await open_page()
    async with hub.groups.locks[alice.pk]:
        # it fails unless `hello` is the first frame
        opening = asyncio.ensure_future(open_page())
        async with asyncio.timeout(PATIENCE):
            while len(hub.outboxes[alice.pk]) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            before = hub.notices
            task_id = await first.generate()
            while hub.notices == before:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    second = await opening

    assert task_id in [task["task_id"] for task in second.messages[0]["active"]]
    assert (await second.until("task"))["task_id"] == task_id


async def test_a_pruned_log_is_replayed_like_any_other(worker: Worker, open_page: OpenPage) -> None:
    first = await open_page()
    task_id = await first.generate()
    running = await claim(worker)
    await progress(running, 5)
    await complete(running)
    longest = (await first.until("result"))["seq"]
    pruned_at = clock.now()
    await database_sync_to_async(prune_log)(uuid.UUID(task_id), pruned_at)

    new, old = await open_page(), await open_page()
    await new.send(action="attach", task_id=task_id)
    await old.send(action="attach", task_id=task_id, after=longest)

    for page in (new, old):
        task = await page.until("task")
        assert (task["seq"], task["task"]["log_pruned_at"]) == (4, round(pruned_at.timestamp(), 3))
    assert await seqs_until(new, task_id, 4) == [1, 2, 3, 4]
    assert (await new.until("live"))["seq"] == 4
    assert (await old.until("live"))["seq"] == 4


async def test_replay_after_a_cursor(worker: Worker, open_page: OpenPage) -> None:
    first = await open_page()
    task_id = await first.generate()
    running = await claim(worker)
    await progress(running, 5)
    await seqs_until(first, task_id, 8)
    await first.close()
    await progress(running, 5)

    second = await open_page()
    assert second.messages[0]["active"] == [{"task_id": task_id, "seq": 13}]
    await second.send(action="attach", task_id=task_id, after=8)
    live = await second.until("live")
    await progress(running, 1)

    assert live["seq"] == 13
    assert second.messages[1]["type"] == "task"
    assert second.messages[1]["task"]["prompt"] == "LiuJuan"
    assert await seqs_until(second, task_id, 14) == [9, 10, 11, 12, 13, 14]


async def test_attaching_in_the_middle_of_a_storm_misses_and_doubles_nothing(
    worker: Worker, open_page: OpenPage, page: Page
) -> None:
    task_id = await page.generate()
    running = await claim(worker)
    storm = asyncio.create_task(progress(running, 300))
    pages = []
    for _each in range(6):
        watcher = await open_page()
        await watcher.send(action="attach", task_id=task_id)
        pages.append(watcher)
        await asyncio.sleep(0.03)
    await storm

    for watcher in [page, *pages]:
        assert await seqs_until(watcher, task_id, 303) == list(range(1, 304))


async def test_a_second_tab_attaches_to_a_new_task(open_page: OpenPage) -> None:
    first, second = await open_page(), await open_page()

    task_id = await first.generate("two tabs")
    notice = await second.until("task")

    assert (notice["task_id"], notice["seq"]) == (task_id, 0)
    assert notice["task"]["prompt"] == "two tabs"
    assert "task" not in [message["type"] for message in first.messages]
    await second.send(action="attach", task_id=task_id)
    assert (await second.until("submitted"))["seq"] == 1


async def test_events_are_private(bob: User, worker: Worker, open_page: OpenPage) -> None:
    mine, theirs = await open_page(), await open_page(bob)
    await mine.generate()
    await complete(await claim(worker))
    await mine.until("result")

    assert (await theirs.ask(action="ping"))["type"] == "pong"
    assert [message["type"] for message in theirs.messages] == ["hello", "pong"]


async def test_staff_follow_attached_tasks(rita: User, worker: Worker, open_page: OpenPage) -> None:
    page, staff = await open_page(), await open_page(rita)
    watched = await page.generate("watched")
    await staff.send(action="attach", task_id=watched)
    await staff.until("live")

    unwatched = await page.generate("unwatched")
    await complete(await claim(worker))
    await staff.until("result")

    assert unwatched not in {message.get("task_id") for message in staff.messages}


async def test_lost_messages_are_read(alice: User, worker: Worker, page: Page) -> None:
    task_id = await page.generate()
    await page.until("submitted")
    await broadcast.layer().group_discard(broadcast.group_of(alice.pk), hub.groups.channel)

    await complete(await claim(worker))
    await hub.compare()

    await page.until("result")
    assert page.seqs(task_id) == [1, 2, 3, 4, 5]


async def test_an_event_reveals_a_gap(alice: User, worker: Worker, page: Page) -> None:
    task_id = await page.generate()
    await page.until("submitted")
    group = broadcast.group_of(alice.pk)
    await broadcast.layer().group_discard(group, hub.groups.channel)
    running = await claim(worker)
    await broadcast.layer().group_add(group, hub.groups.channel)

    await progress(running, 1)

    assert await seqs_until(page, task_id, 4) == [1, 2, 3, 4]


async def test_a_seq_beyond_the_log_ends_the_replay(page: Page) -> None:
    task_id = await page.generate()
    await page.until("submitted")
    (outbox,) = hub.all_outboxes()

    outbox.subscriptions[task_id].offer(99, "never logged")
    async with asyncio.timeout(10):
        await asyncio.gather(*outbox.replays)

    assert outbox.cursor(task_id) == 1
    await page.send(action="cancel", task_id=task_id)
    assert await seqs_until(page, task_id, 3) == [1, 2, 3]


async def test_a_detached_task_sends_no_events(worker: Worker, page: Page) -> None:
    silent = await page.generate("silent")
    attached = await page.generate("attached")
    await page.send(action="detach", task_id=silent)
    assert (await page.ask(action="ping"))["cursors"].keys() == {attached}

    await complete(await claim(worker))
    await complete(await claim(worker))
    result = await page.until("result")

    assert result["task_id"] == attached
    assert page.seqs(silent) == [1]


async def test_a_finished_task_is_detached(worker: Worker, page: Page) -> None:
    task_id = await page.generate()
    await complete(await claim(worker))
    await page.until("result")

    await hub.compare()

    assert task_id not in (await page.ask(action="ping"))["cursors"]
    assert not hub.subscriptions


async def test_a_cancel_is_answered_and_followed_by_its_events(page: Page) -> None:
    task_id = await page.generate()

    await page.send(action="cancel", task_id=task_id)
    answer = await page.until("answer")
    again = await page.ask(action="cancel", task_id=task_id)

    assert answer["answer"] == "cancelled"
    assert again["answer"] == "cancelled"
    assert await seqs_until(page, task_id, 3) == [1, 2, 3]


async def test_a_retry_is_acknowledged_as_a_new_task(page: Page) -> None:
    task_id = await page.generate()
    await page.send(action="cancel", task_id=task_id)
    await page.until("cancelled")
    key = str(uuid.uuid4())

    await page.send(action="retry", task_id=task_id, request_key=key)
    ack = await page.until("ack")

    assert ack["task_id"] != task_id
    assert ack["request_key"] == key
    assert ack["task"]["parent"] == task_id
    assert (await page.until("submitted"))["task_id"] == ack["task_id"]


async def test_leaving_closes_sockets_with_4503(page: Page) -> None:
    await hub.close_sockets(4503)

    assert await page.close_code() == 4503
    latecomer = Page({"host": "testserver"})
    await latecomer.open()
    assert await latecomer.close_code() == 4503


async def test_leaving_closes_a_socket_that_signs_in(alice: User, running_hub: None) -> None:
    headers = {"origin": "http://testserver", "cookie": await cookie_of(alice)}
    answered = threading.Event()
    # the database thread waits for a response, and all others for that thread
    busy = asyncio.create_task(database_sync_to_async(answered.wait)(10))
    page = await Page({"host": "testserver", **headers}).open()

    await hub.close_sockets(4503)
    answered.set()

    assert await busy
    assert await page.close_code() == 4503


async def test_a_closed_page_leaves_the_hub_empty(alice: User, open_page: OpenPage) -> None:
    for _each in range(5):
        page = await open_page()
        await page.generate()
        await page.close()

    assert not hub.subscriptions
    assert not hub.outboxes
    assert not hub.groups.counts
    assert set(hub.groups.joined) == {alice.pk}


async def test_twenty_reloads_during_a_task_see_every_event_once(
    worker: Worker, open_page: OpenPage, page: Page
) -> None:
    task_id = await page.generate()
    running = await claim(worker)
    seen: list[int] = []
    storm = asyncio.create_task(progress(running, 200))
    for _each in range(20):
        page = await open_page()
        await page.send(action="attach", task_id=task_id, after=max(seen, default=0))
        await page.until("live")
        seen += page.seqs(task_id)
        await page.close()
    await storm
    page = await open_page()
    await page.send(action="attach", task_id=task_id, after=max(seen))
    await page.until("live")
    seen += page.seqs(task_id)

    assert seen == list(range(1, 204))
