"""What is left of a user's limits, live on every open page."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from generation.choices import LimitKind
from generation.hub import hub
from generation.models import LimitOverride, LimitUsage
from tests.fallback.http_clients import OpenStream
from tests.socket.sockets import OpenPage, Page

pytestmark = pytest.mark.usefixtures("model")


def left(frame: dict[str, Any]) -> dict[str, int]:
    return {kind: each["left"] for kind, each in frame["limits"].items()}


async def test_every_page_of_a_user_sees_what_is_left(
    settings: Settings,
    running_hub: None,
    alice: User,
    bob: User,
    open_page: OpenPage,
    open_stream: OpenStream,
) -> None:
    settings.LIMIT_PICTURES_PER_DAY = 20
    page, other, stream = await open_page(), await open_page(), await open_stream()
    bobs = await open_page(bob)
    for each in (page, other, stream, bobs):
        assert left(await each.until("limits")) == {"pictures": 20}

    await page.send(action="generate", prompt="LiuJuan", n=3)

    task_id = (await page.until("ack"))["task_id"]
    for each in (page, other, stream):
        frame = await each.until("limits")
        assert left(frame) == {"pictures": 17}
        assert frame["limits"]["pictures"]["renews_at"] > timezone.now().timestamp()
    await page.send(action="cancel", task_id=task_id)
    for each in (page, other, stream):
        assert left(await each.until("limits")) == {"pictures": 20}
    await bobs.send(action="ping")
    assert (await bobs.receive())["type"] == "pong"


async def test_a_refusal_says_which_limit_and_when_it_renews(
    settings: Settings, running_hub: None, alice: User, page: Page
) -> None:
    settings.LIMIT_PICTURES_PER_DAY = 2

    await page.send(action="generate", prompt="LiuJuan", n=3)

    refusal = await page.until("error")
    assert refusal["code"] == "limit_reached"
    assert refusal["data"].pop("renews_at") > timezone.now().timestamp()
    assert refusal["data"] == {"kind": "pictures", "limit": 2, "left": 2}


async def test_without_limits_no_frame_is_sent(
    settings: Settings, quiet_hub: None, alice: User, page: Page
) -> None:
    await page.send(action="generate", prompt="LiuJuan")
    await page.until("ack")
    await hub.compare()

    await page.send(action="ping")

    await page.until("pong")
    assert "limits" not in {message["type"] for message in page.messages}


async def test_unfinished_tasks_are_shown_when_few_are_left(
    settings: Settings, quiet_hub: None, alice: User, page: Page
) -> None:
    settings.LIMIT_UNFINISHED = 2
    for _each in range(2):
        await page.send(action="generate", prompt="LiuJuan")
        await page.until("ack")

    await hub.compare()

    assert left(await page.until("limits")) == {"unfinished": 0}


async def test_a_limit_that_staff_change_reaches_open_pages(
    settings: Settings, quiet_hub: None, alice: User, page: Page
) -> None:
    await LimitOverride.objects.acreate(user=alice, kind=LimitKind.PICTURES, value=5)
    await hub.compare()
    assert left(await page.until("limits")) == {"pictures": 5}
    # as at midnight: what was used belongs to another day
    await LimitUsage.objects.acreate(
        owner=alice, kind=LimitKind.PICTURES, period="2026-01-01", used=5
    )
    await LimitOverride.objects.filter(user=alice).aupdate(value=None)

    await hub.compare()

    assert left(await page.until("limits")) == {}


async def test_a_user_may_have_another_number_of_connections(
    settings: Settings, quiet_hub: None, alice: User, bob: User, open_page: OpenPage
) -> None:
    settings.CONNECTIONS_PER_PERSON = 2
    await LimitOverride.objects.acreate(user=alice, kind=LimitKind.CONNECTIONS, value=3)
    await LimitOverride.objects.acreate(user=bob, kind=LimitKind.CONNECTIONS, value=1)
    pages = [await open_page(alice), await open_page(alice), await open_page(bob)]
    await hub.compare()

    assert hub.has_room(alice.pk)
    pages.append(await open_page(alice))

    assert not hub.has_room(alice.pk)
    assert not hub.has_room(bob.pk)
    for each in pages[:2] + pages[3:]:
        await each.close()
    assert hub.has_room(alice.pk)
