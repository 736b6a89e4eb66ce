"""Favourites, deletions and restorations reach every open page of their owner."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.utils import timezone

from generation import broadcast, services
from generation.hub import hub
from generation.models import Collection, GenerationTask
from tests.factories import finished_task
from tests.socket.sockets import OpenPage, Page


@pytest.fixture
async def task(running_hub: None, media: Path, alice: User) -> GenerationTask:
    return await database_sync_to_async(finished_task)(alice, timezone.now(), pictures=2)


@database_sync_to_async
def mark(owner: User, key: tuple[uuid.UUID, int], favourite: bool) -> None:
    services.set_favourite(owner=owner, pictures=[key], favourite=favourite)


@database_sync_to_async
def move_to_trash(owner: User, **things: Any) -> None:
    services.move_to_trash(owner=owner, now=timezone.now(), **{"pictures": [], **things})


@database_sync_to_async
def restore(owner: User, **things: Any) -> None:
    services.restore(owner=owner, now=timezone.now(), **{"pictures": [], "tasks": [], **things})


async def test_changes_reach_all_pages_of_their_owner(
    alice: User, bob: User, task: GenerationTask, open_page: OpenPage
) -> None:
    pages = [await open_page(), await open_page()]
    bobs = await open_page(bob)
    key, task_id = f"{task.pk}:2", str(task.pk)

    await mark(alice, (task.pk, 2), favourite=True)
    await mark(alice, (task.pk, 2), favourite=True)  # it is one already
    await move_to_trash(alice, tasks=[task.pk])
    await restore(alice, pictures=[(task.pk, 2)])

    for page in pages:
        changes = [await page.until("collection") for _each in range(3)]
        assert changes == [
            change(1, "favourite", pictures=[key], favourite=True),
            change(2, "deleted", tasks=[task_id]),
            change(3, "restored", pictures=[key]),
        ]
    await bobs.send(action="ping")
    assert (await bobs.receive())["type"] == "pong"


def change(revision: int, kind: str, **more: Any) -> dict[str, Any]:
    about = {"type": "collection", "revision": revision, "change": kind}
    return {**about, "pictures": [], "tasks": [], **more}


async def test_a_lost_change_is_announced_by_its_revision(
    alice: User, task: GenerationTask, quiet_hub: None, page: Page
) -> None:
    await mark(alice, (task.pk, 1), favourite=True)
    assert (await page.until("collection"))["revision"] == 1
    # as if the layer had dropped what was published
    await Collection.objects.filter(owner=alice).aupdate(revision=4)

    await hub.compare()
    await hub.compare()

    assert await page.until("collection") == {"type": "collection", "revision": 4}
    broadcast.publish_collection(owner_id=alice.pk, revision=3, frame="{}")  # late, and known
    await page.send(action="ping")
    assert (await page.receive())["type"] == "pong"
