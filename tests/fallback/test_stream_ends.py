"""Access to streams and long polls, their end, and what remains afterwards."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session

from accounts import credentials
from generation.hub import hub
from generation.sessions import TokenBucket, request_buckets, stream
from generation.sessions.task_watch import admitted
from tests.fallback.http_clients import HttpClient, OpenStream, SignedIn, StreamClient


async def test_an_anonymous_stream_is_closed_with_4401(open_stream: OpenStream) -> None:
    assert await (await open_stream(user=None)).close_code() == 4401


async def test_a_disabled_account_gets_4403(
    alice: User, open_stream: OpenStream, reader: StreamClient
) -> None:
    await User.objects.filter(pk=alice.pk).aupdate(is_active=False)

    assert await (await open_stream()).close_code() == 4403


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signs of life are given several times in a second."""
    monkeypatch.setattr(stream, "KEEPALIVE_INTERVAL", 0.1)


async def test_a_session_that_ends_ends_its_stream(reader: StreamClient) -> None:
    await Session.objects.all().adelete()
    await hub.credential_checks.check_all()

    assert await reader.close_code() == 4401


async def test_a_permission_that_is_taken_away_ends_what_it_let_see(
    rita: User, open_stream: OpenStream, signed_in: SignedIn, person: HttpClient
) -> None:
    task_id = await person.generate()
    reader = await open_stream({task_id: 0}, user=rita)
    await reader.until("live")
    permission = await Permission.objects.aget(codename="view_generationtask")
    await sync_to_async(rita.user_permissions.remove)(permission)
    while task_id in hub.subscriptions:
        await reader.event()

    await person.send(action="cancel", task_id=task_id)
    mine = await (await signed_in(rita)).generate("mine")
    while (await reader.event())[1].get("task_id") != mine:
        pass

    assert reader.seqs(task_id) == [1]


async def test_keepalives_are_sent_with_the_cursors(soon: None, reader: StreamClient) -> None:
    name, _data = await reader.event()
    while name == "message":
        name, _data = await reader.event()

    assert name == "alive"


async def test_leaving_closes_every_stream(open_stream: OpenStream, reader: StreamClient) -> None:
    await hub.close_sockets(4503)

    assert await reader.close_code() == 4503
    assert await (await open_stream()).close_code() == 4503


async def test_a_person_has_only_so_many_streams(open_stream: OpenStream) -> None:
    readers = [await open_stream() for _each in range(stream.MAX_STREAMS)]
    for reader in readers:
        await reader.until("hello")

    assert await (await open_stream()).close_code() == 4429

    await readers[0].close()
    assert (await (await open_stream()).until("hello"))["type"] == "hello"


async def test_streams_count_as_messages_do(
    alice: User, open_stream: OpenStream, person: HttpClient
) -> None:
    request_buckets.by_owner[alice.pk] = TokenBucket(rate=0, burst=2)
    await person.post("{}")

    assert (await (await open_stream()).until("hello"))["type"] == "hello"
    assert await (await open_stream()).close_code() == 4429


async def test_a_lost_reader_is_removed(open_stream: OpenStream, person: HttpClient) -> None:
    await person.generate()
    reader = await open_stream()
    await reader.until("live")

    await reader.close()

    assert not hub.subscriptions
    assert not hub.outboxes
    assert "EventStream.run" not in str(asyncio.all_tasks())


async def test_a_request_that_ends_while_it_joins_is_forgotten(
    running_hub: None, alice: User
) -> None:
    credential = credentials.HeldCredential(user_id=alice.pk, key="", is_token=True, password="")

    async def follow() -> None:
        async with admitted(credentials.SignedIn(alice, credential, "")):
            pytest.fail("it was not joined yet")

    request = asyncio.create_task(follow())
    # now it runs until it waits for the layer
    await asyncio.sleep(0)
    assert hub.all_outboxes()
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)

    assert hub.all_outboxes() == []
