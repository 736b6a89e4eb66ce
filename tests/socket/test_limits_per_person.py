"""Limits per user in one process, over all connections."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation.hub import hub, replay_lock
from generation.hub.replay import replay_locks
from generation.sessions import TokenBucket, owner_buckets
from tests.fallback.http_clients import HttpClient, OpenStream, SignedIn
from tests.pages.page_clients import signed_in as browser_of
from tests.socket.sockets import OpenPage, Page, cookie_of


async def one_more(user: User) -> Page:
    headers = {"host": "testserver", "origin": "http://testserver", "cookie": await cookie_of(user)}
    return await Page(headers).open()


async def test_sockets_and_streams_of_one_person_are_counted_together(
    settings: Any, alice: User, bob: User, open_page: OpenPage, open_stream: OpenStream
) -> None:
    settings.CONNECTIONS_PER_PERSON = 3
    first, _second = await open_page(), await open_page()
    stream = await open_stream()
    await stream.until("hello")

    assert await (await one_more(alice)).close_code() == 4429
    assert await (await open_stream()).close_code() == 4429
    await open_page(bob)
    assert len(hub.all_outboxes()) == 4

    await first.close()
    await open_page()


async def test_messages_count_together_over_every_connection(
    alice: User, bob: User, open_page: OpenPage, person: HttpClient
) -> None:
    pages = [await open_page(), await open_page()]
    other = await open_page(bob)
    owner_buckets.by_owner[alice.pk] = TokenBucket(rate=0, burst=3)

    assert (await pages[0].ask(action="ping"))["type"] == "pong"
    assert (await pages[1].ask(action="ping"))["type"] == "pong"
    await person.poll()
    assert (await person.client.get("/events/poll/")).status_code == 429
    for page in pages:
        await page.send(action="ping")
        assert await page.close_code() == 4429
    assert await (await one_more(alice)).close_code() == 4429
    assert (await other.ask(action="ping"))["type"] == "pong"


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["/", "/gallery/", "/compare/"])
def test_pages_count_too(alice: User, url: str) -> None:
    browser: Client = browser_of(alice)
    owner_buckets.by_owner[alice.pk] = TokenBucket(rate=0, burst=1)

    assert browser.get("/").status_code == 200
    assert browser.get(url).status_code == 429
    del owner_buckets.by_owner[alice.pk]


async def test_reads_of_one_user_wait_only_for_each_other(
    alice: User, bob: User, open_page: OpenPage, signed_in: SignedIn
) -> None:
    pages = {user: await open_page(user) for user in (alice, bob)}
    tasks = {user: await page.generate() for user, page in pages.items()}
    alices, bobs = await open_page(), await open_page(bob)
    person = await signed_in(alice)

    async with replay_lock(alice.pk):
        await alices.send(action="attach", task_id=tasks[alice])
        assert (await bobs.ask(action="attach", task_id=tasks[bob]))["type"] == "live"
        attached = [each.is_attached(tasks[alice]) for each in hub.outboxes[alice.pk]]
        assert sorted(attached) == [False, True]
    await alices.until("live")
    assert alices.seqs(tasks[alice])[0] == 1
    assert any(frame["type"] == "live" for frame in await person.poll())
    assert alice.pk not in replay_locks
