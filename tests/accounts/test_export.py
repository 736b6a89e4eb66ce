"""The download of all data: everything of one user, in a zip that is written while it is sent."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from datetime import datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import AsyncClient, Client

from accounts.tokens import create_token
from generation import images, services
from generation.export_turns import ExportRunning
from generation.models import GeneratedImage, GenerationTask, TaskEvent, WebhookEndpoint
from generation.selectors import PAGE_EVENTS
from generation.selectors.export import PAGE_TASKS
from generation.views.data_export import Export
from tests.accounts.conftest import SignedIn
from tests.accounts.sign_in_attempts import confirm
from tests.factories import finished_task, submit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("media")]
PAGE = "/accounts/data/export/"
TEXTS = ["account.json", "tasks.jsonl", "logs.jsonl"]


@async_to_sync
async def posted(client: Client) -> Any:
    """The response to the form, of which nothing was read yet."""
    browser = AsyncClient()
    browser.cookies = client.cookies
    return await browser.post(PAGE)


@async_to_sync
async def opened(response: Any) -> zipfile.ZipFile:
    content = b"".join([part async for part in response])
    await sync_to_async(response.close)()
    return zipfile.ZipFile(io.BytesIO(content))


def rows(archive: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in archive.read(name).decode().splitlines()]


@pytest.fixture
def browser(alice: User, signed_in: SignedIn) -> Client:
    client = signed_in("alice", **{"User-Agent": "Mozilla/5.0 Firefox/140.0"})
    client.get("/accounts/sessions/")
    confirm(client)
    return client


def test_it_has_everything_and_nothing_of_others(
    browser: Client, alice: User, bob: User, now: datetime
) -> None:
    task = finished_task(alice, now, prompt="柳岸", pictures=2, seed=7)
    removed = finished_task(alice, now + timedelta(seconds=1), prompt="in the trash")
    services.move_to_trash(owner=alice, pictures=[], tasks=[removed.pk], now=now)
    services.create_link(task=task, now=now)
    webhook = WebhookEndpoint.objects.create(
        owner=alice, url="https://hook.example/", secret="whsec-secret", created=now
    )
    token = create_token(owner=alice, name="a script", now=now)
    finished_task(bob, now, prompt="of bob")

    response = posted(browser)
    assert response["Content-Disposition"].startswith('attachment; filename="liujuan-alice-')
    archive = opened(response)

    assert archive.testzip() is None
    exported = rows(archive, "tasks.jsonl")
    assert [each["prompt"] for each in exported] == ["柳岸", "in the trash"]
    assert [each["in_trash_since"] is None for each in exported] == [True, False]
    pictures = [picture for each in exported for picture in each["pictures"]]
    assert [*TEXTS, *(each["file"] for each in pictures), "export.json"] == archive.namelist()
    assert pictures[1]["file"].endswith(f"/liujuan-柳岸-8-{task.pk.hex[:8]}-2.jpg")
    assert archive.read(pictures[1]["file"]) == f"picture {task.pk} 2".encode()
    frames = TaskEvent.objects.filter(task__owner=alice).values_list("frame", flat=True)
    assert sorted(rows(archive, "logs.jsonl"), key=str) == sorted(map(json.loads, frames), key=str)
    account = json.loads(archive.read("account.json"))
    assert (account["username"], account["tokens"][0]["name"]) == ("alice", "a script")
    assert account["sessions"][0]["user_agent"] == "Mozilla/5.0 Firefox/140.0"
    assert account["share_links"][0]["task"] == str(task.pk)
    assert account["webhooks"][0]["url"] == webhook.url
    assert account["limits"]["unfinished"]["limit"] == 500
    report = json.loads(archive.read("export.json"))
    assert (report["tasks"], report["events"], report["pictures"]) == (2, len(frames), 3)
    every = b"".join(archive.read(name) for name in archive.namelist())
    for secret in (token, webhook.secret, alice.password, browser.session.session_key, "of bob"):
        assert str(secret).encode() not in every


def test_it_asks_for_the_password_first(alice: User, signed_in: SignedIn) -> None:
    client = signed_in("alice")

    for answer in (client.get(PAGE), client.post(PAGE)):
        assert answer["Location"].startswith("/accounts/reauthenticate/?next=")
    assert "account.json" not in client.get("/accounts/data/").text
    confirm(client)
    assert "account.json" in client.get(PAGE).text
    assert Client().get(PAGE)["Location"].startswith("/accounts/sign-in/?next=")


def test_one_download_at_a_time(browser: Client, alice: User, bob: User, now: datetime) -> None:
    finished_task(alice, now)
    first = posted(browser)

    assert posted(browser).status_code == 429
    Export(bob, now=now).close()
    assert opened(first).namelist()[:3] == TEXTS
    abandoned = posted(browser)
    assert abandoned.status_code == 200
    abandoned.close()
    assert opened(posted(browser)).namelist()[:3] == TEXTS


def test_an_old_download_does_not_end_a_new_one(alice: User, now: datetime) -> None:
    old = Export(alice, now=now)
    cache.delete(old.turn.key)
    new = Export(alice, now=now)
    old.close()

    with pytest.raises(ExportRunning):
        Export(alice, now=now)
    new.close()


def test_an_unreadable_picture_is_named(browser: Client, alice: User, now: datetime) -> None:
    task = finished_task(alice, now, pictures=3)
    gone, folder, _whole = GeneratedImage.objects.order_by("index")
    images.path_of(gone.file).unlink()
    images.path_of(folder.file).unlink()
    images.path_of(folder.file).mkdir()

    archive = opened(posted(browser))

    assert archive.testzip() is None
    report = json.loads(archive.read("export.json"))
    assert report["pictures"] == 1
    assert [(each["task"], each["index"]) for each in report["missing_pictures"]] == [
        (str(task.pk), 1),
        (str(task.pk), 2),
    ]
    assert [each["cause"] for each in report["missing_pictures"]] == [
        "No such file or directory",
        "Is a directory",
    ]


def test_memory_does_not_grow_with_the_history(alice: User, now: datetime) -> None:
    add_tasks(alice, PAGE_TASKS, now)
    _content, few = measured(Export(alice, now=now))

    add_tasks(alice, 4 * PAGE_TASKS + 1, now)
    content, many = measured(Export(alice, now=now))

    archive = zipfile.ZipFile(io.BytesIO(content))
    assert len({each["id"] for each in rows(archive, "tasks.jsonl")}) == 5 * PAGE_TASKS + 1
    assert many < 1.5 * few


def add_tasks(owner: User, count: int, now: datetime) -> None:
    GenerationTask.objects.bulk_create(
        GenerationTask(
            owner=owner,
            prompt="w" * 2_000,
            model="m",
            width=512,
            height=512,
            image_count=1,
            steps=9,
            guidance=0,
            created=now,
            finished_at=now,
            status="completed",
            progress=100,
        )
        for _each in range(count)
    )


def measured(export: Export) -> tuple[bytes, int]:
    """The whole zip, and the most memory that was in use for it at once."""
    tracemalloc.start()
    try:
        return b"".join(export.chunks()), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        export.close()


def test_long_logs_are_whole(alice: User, now: datetime) -> None:
    numbers = [*range(1, 2 * PAGE_EVENTS + 2)]
    tasks = [submit(alice, now + timedelta(seconds=k)) for k in range(3)]
    GenerationTask.objects.filter(pk=tasks[1].pk).update(newest_seq=numbers[-1])
    TaskEvent.objects.filter(task=tasks[1]).delete()
    TaskEvent.objects.bulk_create(
        TaskEvent(
            task=tasks[1],
            seq=seq,
            kind="progress",
            step="generating",
            progress=1,
            attempt=1,
            created_at=now,
            frame=f'{{"seq": {seq}}}',
        )
        for seq in numbers
    )

    export = Export(alice, now=now)
    archive = zipfile.ZipFile(io.BytesIO(b"".join(export.chunks())))
    export.close()

    assert [each["seq"] for each in rows(archive, "logs.jsonl")] == [1, *numbers, 1]
