"""Changes of favourites and trash reach streams and polls."""

from __future__ import annotations

from pathlib import Path

from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.utils import timezone

from generation import services
from tests.factories import finished_task
from tests.fallback.http_clients import OpenStream, SignedIn


async def test_a_stream_sends_the_change_and_a_poll_its_revision(
    media: Path, alice: User, bob: User, open_stream: OpenStream, signed_in: SignedIn
) -> None:
    task = await database_sync_to_async(finished_task)(alice, timezone.now())
    reader, person = await open_stream(), await signed_in(alice)
    await reader.until("hello")
    assert [frame["type"] for frame in await person.poll()] == ["hello"]

    await database_sync_to_async(services.set_favourite)(
        owner=alice, pictures=[(task.pk, 1)], favourite=True
    )

    change = await reader.until("collection")
    assert (change["revision"], change["pictures"]) == (1, [f"{task.pk}:1"])
    assert (await person.poll())[-1] == {"type": "collection", "revision": 1}
    assert [frame["type"] for frame in await (await signed_in(bob)).poll()] == ["hello"]
