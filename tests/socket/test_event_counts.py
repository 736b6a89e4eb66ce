"""What a web counts of the events and connections of its clients."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from generation import broadcast
from generation.hub import hub
from generation.models import Worker
from generation.sessions import TokenBucket
from tests.counted import counted, counts
from tests.socket.sockets import OpenPage, Page
from tests.socket.task_events import claim, complete, progress, seqs_until

pytestmark = pytest.mark.usefixtures("model")


async def test_a_delivered_event_is_measured_once_however_many_pages_follow(
    worker: Worker, quiet_hub: None, open_page: OpenPage
) -> None:
    page, other = await open_page(), await open_page()
    task_id = await page.generate()
    await other.send(action="attach", task_id=task_id)
    await other.until("live")
    running = await claim(worker)
    await seqs_until(other, task_id, 3)
    with counts("event_delivery_seconds_count", 4):
        await progress(running, 4)
        await seqs_until(page, task_id, 7)
        await seqs_until(other, task_id, 7)

    assert 0 < counted("event_delivery_seconds_sum") < 60


async def test_an_event_without_followers_is_not_measured(worker: Worker, page: Page) -> None:
    task_id = await page.generate()
    await page.until("submitted")
    await page.send(action="detach", task_id=task_id)
    await page.ask(action="ping")
    with counts("event_delivery_seconds_count", 0):
        await claim(worker)
        await page.ask(action="ping")


async def test_attaching_and_reattaching_are_counted_apart(page: Page, open_page: OpenPage) -> None:
    task_id = await page.generate()
    second, third = await open_page(), await open_page()
    with (
        counts("attach_seconds_count", 1, transport="socket", kind="attach"),
        counts("attach_seconds_count", 1, transport="socket", kind="reattach"),
    ):
        await second.send(action="attach", task_id=task_id)
        await second.until("live")
        await third.send(action="attach", task_id=task_id, after=1)
        await third.until("live")
        # the count follows the frame
        for each in (second, third):
            await each.ask(action="ping")


async def test_gaps_are_counted_by_what_found_them(
    alice: User, worker: Worker, quiet_hub: None, page: Page
) -> None:
    task_id = await page.generate()
    await page.until("submitted")
    group = broadcast.group_of(alice.pk)
    await broadcast.layer().group_discard(group, hub.groups.channel)
    running = await claim(worker)
    await broadcast.layer().group_add(group, hub.groups.channel)
    with (
        counts("event_gaps_total", 1, found_by="broadcast"),
        counts("event_gaps_total", 0, found_by="compare"),
    ):
        await progress(running, 1)
        await seqs_until(page, task_id, 4)

    await broadcast.layer().group_discard(group, hub.groups.channel)
    await complete(running)
    with counts("event_gaps_total", 1, found_by="compare"):
        await hub.compare()
        await page.until("result")


def test_what_a_limit_refuses_is_counted() -> None:
    bucket = TokenBucket(rate=0.0, burst=1.0)

    with counts("limits_refused_total", 1, limit="messages"):
        assert [bucket.take(), bucket.take()] == [True, False]
