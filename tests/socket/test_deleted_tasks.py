"""Deleted tasks do not exist on the socket; new tasks name their origin."""

from __future__ import annotations

from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.utils import timezone

from generation import services
from tests.factories import submit
from tests.socket.sockets import OpenPage, Page


@database_sync_to_async
def cancelled(owner: User) -> str:
    now = timezone.now()
    task = submit(owner, now)
    services.request_cancel(task_id=task.pk, now=now)
    return str(task.pk)


@database_sync_to_async
def move_to_trash(owner: User, task_id: str) -> None:
    task = owner.tasks.get(pk=task_id)
    services.move_to_trash(owner=owner, pictures=[], tasks=[task.pk], now=timezone.now())


async def test_a_deleted_task_is_not_found(alice: User, rita: User, open_page: OpenPage) -> None:
    page, staff = await open_page(), await open_page(rita)
    task_id = await cancelled(alice)
    await move_to_trash(alice, task_id)

    for action in ("attach", "detach", "cancel", "retry"):
        await page.send(action=action, task_id=task_id)
        assert (await page.until("error"))["code"] == "not_found"
    await page.send(action="generate", prompt="again", parent=task_id)
    refused = await page.until("error")
    assert (refused["code"], refused["field"]) == ("not_found", "parent")
    await staff.send(action="attach", task_id=task_id)
    assert (await staff.until("task"))["task_id"] == task_id


async def test_a_task_names_what_it_was_made_from(alice: User, page: Page) -> None:
    parent = await cancelled(alice)

    await page.send(action="generate", prompt="again", parent=parent)
    assert (await page.until("ack"))["task"]["parent"] == parent
    await page.send(action="generate", prompt="again", parent=7)
    assert (await page.until("error"))["code"] == "bad_message"
