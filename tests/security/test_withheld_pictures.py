"""No address gives a withheld picture to its owner, to a program or to those with a link."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.db import connections
from django.test import RequestFactory

from generation import images, selectors
from generation.api.mcp_results import task_result
from generation.api.openai_operations import result_of
from generation.choices import ReviewState
from generation.exceptions import PictureWithheld
from generation.models import GeneratedImage, GenerationTask
from generation.services import create_link
from generation.views.data_export import Export
from tests.conftest import serve_model
from tests.factories import finished_task, hide
from tests.security.ownership import API, PAGES
from tests.security.walk import send
from tests.security.world import World, create_world

pytestmark = pytest.mark.django_db

ROLES = ("owner", "reader", "anonymous")
SENT_TO = {
    "pictures/<uuid:task_id>/<int:index>/",
    "pictures/<uuid:task_id>/<int:index>/thumbnail/",
    "gallery/zip/",
    "shared/<slug:token>/<int:index>/",
    "shared/<slug:token>/<int:index>/thumbnail/",
}
"""Where a picture that is not withheld is sent, if it is not in the trash."""

OF_THE_TRASH = "trash/<uuid:task_id>/<int:index>/thumbnail/"


@pytest.fixture
def world(db: None, media: Path, now: datetime, monkeypatch: pytest.MonkeyPatch) -> World:
    # requests would close the connection, and with it the transaction of the test
    connection = connections["default"]
    monkeypatch.setitem(connection.settings_dict, "AUTOCOMMIT", False)
    monkeypatch.setattr(connection, "close_at", None)
    serve_model(now=now)
    return create_world(now)


@pytest.fixture
def image(world: World, now: datetime) -> GeneratedImage:
    return finished_task(world.users["owner"], now).images.get()


def body_of(response: Any) -> bytes:
    if not response.streaming:
        return bytes(response.content)
    if not response.is_async:
        return b"".join(response)
    return async_to_sync(joined)(response.streaming_content)


async def joined(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


def senders(world: World, image: GeneratedImage, link: str) -> set[str]:
    """The addresses that send the picture when they are asked for it."""
    task = str(image.task_id)
    names = {**world.names, "task": task, "half_trashed": task, "link": link}
    secrets = [images.read(image.file), base64.b64encode(images.read(image.file))]
    found = set()
    for row in (*PAGES, *API):
        if row.method == "GET" and row.address.endswith("/stream"):
            continue  # events have no bytes of pictures
        for role in ROLES:
            body = body_of(send(row, row.address, role, world, names))
            if any(secret in body for secret in secrets):
                found.add(row.address)
    return found


def test_no_address_sends_a_withheld_picture(
    world: World, image: GeneratedImage, now: datetime
) -> None:
    link, _expires = create_link(task=image.task, now=now)
    row = GeneratedImage.objects.filter(pk=image.pk)

    assert senders(world, image, link) == SENT_TO
    hide(image, now)
    assert senders(world, image, link) == set()
    row.update(withheld=False, deleted_at=now)
    assert senders(world, image, link) == {OF_THE_TRASH}
    row.update(withheld=True)
    assert senders(world, image, link) == set()


def test_programs_learn_why(world: World, image: GeneratedImage, now: datetime) -> None:
    hide(image, now)
    path = f"/pictures/{image.task_id}/1/"

    response = world.client.get(path, headers=world.headers("reader"))

    assert response.status_code == 403
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "picture_withheld"
    assert "no-store" in response["Cache-Control"]


def test_a_cached_copy_is_not_used_without_asking(
    world: World, image: GeneratedImage, now: datetime
) -> None:
    path, headers = f"/pictures/{image.task_id}/1/", world.headers("owner")
    first = world.client.get(path, headers=headers)
    again = {**headers, "if-none-match": first["ETag"]}

    assert first["Cache-Control"] == "private, no-cache"
    known = world.client.get(path, headers=again)
    assert (known.status_code, known.content, known["ETag"]) == (304, b"", first["ETag"])
    hide(image, now)
    assert world.client.get(path, headers=again).status_code == 403


def test_staff_still_see_it(world: World, image: GeneratedImage, now: datetime) -> None:
    hide(image, now)

    for path in (f"/pictures/{image.task_id}/1/", f"/pictures/{image.task_id}/1/thumbnail/"):
        assert world.client.get(path, headers=world.headers("reviewer")).status_code == 200
    task = f"/admin/generation/generationtask/{image.task_id}/change/"
    page = world.client.get(task, headers=world.headers("reviewer")).text
    assert f'1">{ReviewState.HIDDEN.label}</a>' in page


def exported(user: User, now: datetime) -> bytes:
    export = Export(user, now=now)
    content = b"".join(export.chunks())
    export.close()
    return content


def test_other_ways_to_programs_leave_it_out(
    world: World, image: GeneratedImage, now: datetime
) -> None:
    secret, task = images.read(image.file), GenerationTask.objects.get(pk=image.task_id)
    request = RequestFactory().get("/")
    assert secret in exported(world.users["owner"], now)
    assert result_of(request, task, "b64_json")["data"]  # type: ignore[index]
    hide(image, now)

    assert secret not in exported(world.users["owner"], now)
    with pytest.raises(PictureWithheld):
        result_of(request, task, "b64_json")
    answer = task_result(request, task, selectors.card_of(task, now=now))
    assert [each.type for each in answer.content] == ["text"]
