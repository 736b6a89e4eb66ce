"""Pictures and share links over the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import AsyncClient

from generation.models import Worker
from tests.api.api_program import Program
from tests.socket.task_events import claim, complete

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def path(program: Program, model: str, worker: Worker, media: Any) -> str:
    """Of a finished task with a picture."""
    task = await program.submit()
    await complete(await claim(worker))
    return f"/tasks/{task['id']}"


async def favourites(program: Program, path: str) -> list[bool]:
    task = (await program.get(path)).json()
    return [picture["favourite"] for picture in task["pictures"]]


async def test_a_picture_is_marked_and_unmarked(program: Program, path: str) -> None:
    url = f"{path}/pictures/1/favourite"

    for favourite in (True, True, False):
        response = await program.call("PUT", url, {"favourite": favourite})
        assert response.json() == {"favourite": favourite}
        assert await favourites(program, path) == [favourite]


@pytest.mark.parametrize("body", [{}, {"favourite": 1}, {"favourite": True, "more": 1}, "[]"])
async def test_a_mark_that_cannot_be_used_is_a_problem(
    program: Program, path: str, body: Any
) -> None:
    response = await program.call("PUT", f"{path}/pictures/1/favourite", body)

    assert response.status_code == 422
    assert await favourites(program, path) == [False]


async def test_a_picture_is_deleted_and_restored(program: Program, path: str) -> None:
    url = f"{path}/pictures/1"

    assert (await program.call("DELETE", url)).status_code == 204
    assert (await program.get(url)).status_code == 404
    assert (await program.post(f"{url}/restore")).status_code == 204
    assert (await program.get(url)).json()["index"] == 1


async def test_a_share_link_shows_the_task_until_it_is_revoked(program: Program, path: str) -> None:
    created = await program.post(f"{path}/share-links")
    assert created.status_code == 201
    anyone = AsyncClient()
    assert (await anyone.get(created.json()["url"])).status_code == 200

    assert (await program.call("DELETE", f"{path}/share-links")).status_code == 204

    assert (await anyone.get(created.json()["url"])).status_code == 404


async def test_a_task_without_pictures_cannot_be_shared(program: Program) -> None:
    task = await program.submit()

    response = await program.post(f"/tasks/{task['id']}/share-links")

    assert (response.status_code, response.json()["code"]) == (409, "not_allowed_now")
