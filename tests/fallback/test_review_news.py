"""Open review pages receive decisions and new pictures."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.utils import timezone

from generation.broadcast import REVIEWERS
from generation.hub import hub
from generation.hub.review_updates import MAX_WAITING
from generation.models import GeneratedImage
from generation.selectors import review_cursor
from tests.fallback.http_clients import HttpClient, SignedIn
from tests.reviewing import decide, make_reviewer, picture_of
from tests.socket.sockets import PATIENCE

pytestmark = pytest.mark.usefixtures("quiet_hub", "media")


@pytest.fixture
async def renu(running_hub: None) -> User:
    return await database_sync_to_async(make_reviewer)("renu")


@pytest.fixture
async def desk(renu: User, signed_in: SignedIn) -> HttpClient:
    return await signed_in(renu)


@pytest.fixture
async def image(running_hub: None, media: Path, alice: User) -> GeneratedImage:
    return await database_sync_to_async(picture_of)(alice, timezone.now())


async def ask(desk: HttpClient, cursor: tuple[int, int]) -> Any:
    answer = await desk.client.get(f"/admin/review/news/?review={cursor[0]}&picture={cursor[1]}")
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content)


async def waiting(count: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(hub.review_updates.waiting) != count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


newest = database_sync_to_async(review_cursor)
decided = database_sync_to_async(decide)


async def test_a_decision_of_a_colleague_is_received_at_once(
    desk: HttpClient, image: GeneratedImage
) -> None:
    ravi = await database_sync_to_async(make_reviewer)("ravi")
    request = asyncio.create_task(ask(desk, await newest()))
    await waiting(1)

    review = await decided(ravi, image, "flagged", timezone.now())

    news = await asyncio.wait_for(request, PATIENCE)
    assert [(each["id"], each["state"], each["by"]) for each in news["reviews"]] == [
        (image.pk, "flagged", "ravi")
    ]
    assert news["cursor"] == [review.pk, image.pk]
    assert (news["counts"]["waiting"], news["counts"]["flagged"]) == ("0", "1")
    await waiting(0)
    assert REVIEWERS not in hub.groups.counts


async def test_the_comparison_finds_what_no_message_announced(
    desk: HttpClient, alice: User
) -> None:
    """Nothing is published when a picture is stored, and any message may be lost."""
    request = asyncio.create_task(ask(desk, await newest()))
    await waiting(1)
    await hub.compare()
    assert not any(each.changed.is_set() for each in hub.review_updates.waiting)

    image = await database_sync_to_async(picture_of)(alice, timezone.now())
    await hub.compare()

    news = await asyncio.wait_for(request, PATIENCE)
    assert (news["cursor"][1], news["counts"]["waiting"]) == (image.pk, "1")


async def test_who_is_behind_does_not_wait(desk: HttpClient, image: GeneratedImage) -> None:
    news = await ask(desk, (0, 0))

    assert news["cursor"] == [0, image.pk]


async def test_only_reviewers_receive_news(
    signed_in: SignedIn, alice: User, rita: User, image: GeneratedImage
) -> None:
    for user in (alice, rita):
        client = (await signed_in(user)).client
        answer = await client.get("/admin/review/news/?review=0&picture=0")
        assert answer.status_code == 404
        await client.alogout()
        assert (await client.get("/admin/review/news/")).status_code == 403


async def test_who_lost_the_permission_meanwhile_receives_nothing(
    desk: HttpClient, renu: User, image: GeneratedImage
) -> None:
    ravi = await database_sync_to_async(make_reviewer)("ravi")
    cursor = await newest()
    address = f"/admin/review/news/?review={cursor[0]}&picture={cursor[1]}"
    request = asyncio.create_task(desk.client.get(address))
    await waiting(1)
    await renu.user_permissions.aclear()

    await decided(ravi, image, "flagged", timezone.now())

    answer: Any = await asyncio.wait_for(request, PATIENCE)
    assert answer.status_code == 404


async def test_a_page_too_many_ends_the_oldest_request(
    desk: HttpClient, image: GeneratedImage
) -> None:
    cursor = await newest()
    requests = []
    for number in range(MAX_WAITING + 1):
        requests.append(asyncio.create_task(ask(desk, cursor)))
        await waiting(min(number + 1, MAX_WAITING))
    await asyncio.wait_for(requests[0], PATIENCE)

    await hub.close_sockets(4503)

    await asyncio.wait_for(asyncio.gather(*requests), PATIENCE)
