"""Downloads: file names, and many pictures in one zip."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient, Client, override_settings

from generation import images, services
from generation.models import GeneratedImage
from generation.selectors import read_key
from tests.factories import finished_task, picture_key
from tests.pages.page_clients import signed_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("media")]


@pytest.mark.parametrize(
    ("prompt", "disposition"),
    [
        ("A cat, on the roof!", 'attachment; filename="liujuan-A-cat-on-the-roof-9.jpg"'),
        ("../../etc/passwd", 'attachment; filename="liujuan-etc-passwd-9.jpg"'),
        ('"; \r\nSet-Cookie: a=b', 'attachment; filename="liujuan-Set-Cookie-a-b-9.jpg"'),
        ("!!! 🌸", 'attachment; filename="liujuan-9.jpg"'),
        ("柳 岸", "attachment; filename*=utf-8''liujuan-%E6%9F%B3-%E5%B2%B8-9.jpg"),
        ("w" * 300, f'attachment; filename="liujuan-{"w" * 40}-9.jpg"'),
        ("\u202egpj.exe", 'attachment; filename="liujuan-gpj-exe-9.jpg"'),
        ("a\ufe0f\u200d\u3164\u115f b", 'attachment; filename="liujuan-a-b-9.jpg"'),
        ("! \u0301\u0302", 'attachment; filename="liujuan-9.jpg"'),
    ],
)
def test_a_download_has_a_name(alice: User, now: datetime, prompt: str, disposition: str) -> None:
    task = finished_task(alice, now, prompt=prompt, seed=9)
    client = signed_in(alice)

    response = client.get(f"/pictures/{task.pk}/1/?download=1")

    assert response["Content-Disposition"] == disposition
    assert response["Content-Type"] == "image/jpeg"
    assert response.content == f"picture {task.pk} 1".encode()
    shown = disposition.replace("attachment", "inline")
    assert client.get(f"/pictures/{task.pk}/1/")["Content-Disposition"] == shown
    small = client.get(f"/pictures/{task.pk}/1/thumbnail/")
    assert small["Content-Disposition"] == shown.replace(".jpg", ".webp")
    with override_settings(ACCEL_REDIRECT="/_media"):
        handed = client.get(f"/pictures/{task.pk}/1/?download=1")
    assert handed["Content-Disposition"] == disposition
    assert handed["X-Accel-Redirect"].startswith("/_media/")


async def zip_of(user: User, *keys: str) -> tuple[int, Any]:
    """(status, the opened zip or the page that says why not)."""
    client = AsyncClient()
    await client.aforce_login(user)
    response: Any = await client.post("/gallery/zip/", {"pictures": list(keys)})
    if not response.streaming:
        return response.status_code, response.text
    assert response["Content-Disposition"].startswith('attachment; filename="liujuan-')
    archive = zipfile.ZipFile(io.BytesIO(b"".join([part async for part in response])))
    archive.filename = response["Content-Disposition"].partition('filename="')[2].rstrip('"')
    await sync_to_async(response.close)()
    return response.status_code, archive


def many(user: User, now: datetime) -> list[str]:
    tasks = [finished_task(user, now, prompt="柳岸", pictures=2) for _each in range(2)]
    return [picture_key(task, index) for task in tasks for index in (1, 2)]


@pytest.mark.usefixtures("running_hub")
async def test_a_zip_has_unchanged_files(alice: User, now: datetime) -> None:
    keys = await sync_to_async(many)(alice, now)

    status, archive = await zip_of(alice, *keys, keys[0])

    assert status == 200
    assert archive.testzip() is None
    names = archive.namelist()
    assert names == [
        "liujuan-柳岸-100.jpg",
        "liujuan-柳岸-101.jpg",
        "liujuan-柳岸-100-2.jpg",
        "liujuan-柳岸-101-2.jpg",
    ]
    assert [archive.read(name).decode() for name in names] == [
        f"picture {each.replace(':', ' ')}" for each in keys
    ]


def named_alike(user: User, now: datetime) -> list[str]:
    prompts = ("Willow", "WILLOW", "ＷＩＬＬＯＷ", "café", "cafe\u0301")
    return [picture_key(finished_task(user, now, prompt=prompt)) for prompt in prompts]


@pytest.mark.usefixtures("running_hub")
async def test_zip_names_differ_when_folded(alice: User, now: datetime) -> None:
    keys = await sync_to_async(named_alike)(alice, now)

    _status, archive = await zip_of(alice, *keys)

    assert archive.namelist() == [
        "liujuan-Willow-100.jpg",
        "liujuan-WILLOW-100-2.jpg",
        "liujuan-ＷＩＬＬＯＷ-100-3.jpg",
        "liujuan-café-100.jpg",
        "liujuan-café-100-2.jpg",
    ]


@pytest.mark.usefixtures("running_hub")
async def test_a_zip_is_readable_as_a_stream(alice: User, now: datetime) -> None:
    keys = await sync_to_async(many)(alice, now)

    _status, archive = await zip_of(alice, *keys)

    assert list(read_forward(archive.fp.getvalue())) == [
        f"picture {each.replace(':', ' ')}".encode() for each in keys
    ]


def read_forward(data: bytes) -> Iterator[bytes]:
    """The entries in their order, found by local headers alone, as a reader of a pipe does."""
    while data[:4] == b"PK\x03\x04":
        flags, method = struct.unpack("<HH", data[6:10])
        (size,), (name, extra) = struct.unpack("<I", data[18:22]), struct.unpack("<HH", data[26:30])
        body = data[30 + name + extra :]
        assert not flags & 8 or method == zipfile.ZIP_DEFLATED, "where does the entry end?"
        if method == zipfile.ZIP_DEFLATED:
            inflate = zlib.decompressobj(-15)
            content, rest = inflate.decompress(body), inflate.unused_data
        else:
            content, rest = body[:size], body[size:]
        yield content
        data = rest[rest.index(b"PK\x03\x04") :] if b"PK\x03\x04" in rest else b""


@pytest.mark.usefixtures("running_hub")
async def test_a_file_that_is_gone_is_left_out_and_not_counted(
    alice: User, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    keys = await sync_to_async(many)(alice, now)
    gone = await GeneratedImage.objects.order_by("pk").afirst()
    assert gone is not None
    images.path_of(gone.file).unlink()

    status, archive = await zip_of(alice, *keys)

    assert (status, archive.testzip(), len(archive.namelist())) == (200, None, 3)
    assert archive.filename.endswith("-3.zip")
    assert gone.file in caplog.text


@pytest.mark.usefixtures("running_hub")
async def test_deleted_files_skipped(alice: User, bob: User, now: datetime) -> None:
    keys = await sync_to_async(many)(alice, now)
    others = await sync_to_async(many)(bob, now)
    gone = [read_key(each) for each in keys[:1]]
    move_to_trash = sync_to_async(services.move_to_trash)
    await move_to_trash(owner=alice, pictures=gone, tasks=[], now=now)

    status, archive = await zip_of(alice, *keys, *others, f"{keys[1][:-1]}4")

    assert (status, archive.filename[-6:]) == (200, "-3.zip")
    assert [archive.read(name).decode() for name in archive.namelist()] == [
        f"picture {each.replace(':', ' ')}" for each in keys[1:]
    ]


@pytest.mark.usefixtures("running_hub")
async def test_a_person_gets_two_zips_at_once(alice: User, bob: User, now: datetime) -> None:
    keys = await sync_to_async(many)(alice, now)
    bobs = await sync_to_async(many)(bob, now)
    client = AsyncClient()
    await client.aforce_login(alice)

    first: Any = await client.post("/gallery/zip/", {"pictures": keys})
    second: Any = await client.post("/gallery/zip/", {"pictures": keys})

    status, page = await zip_of(alice, *keys)
    assert (status, "<h1" in page) == (429, True)
    assert (await zip_of(bob, *bobs))[0] == 200
    # one was read to its end, and of the other one nothing
    assert [part async for part in first]
    for response in (first, second):
        await sync_to_async(response.close)()
    assert [(await zip_of(alice, *keys))[0] for _each in range(3)] == [200] * 3


@pytest.mark.usefixtures("running_hub")
async def test_a_zip_is_refused_with_a_page(alice: User, bob: User, now: datetime) -> None:
    keys = await sync_to_async(many)(alice, now)

    for user, asked, refusal in (
        (alice, [], 404),
        (alice, ["x"], 400),
        (alice, keys[:1] * 501, 400),
        (alice, [f"{keys[0][:-1]}4"], 404),
        (bob, keys[:1], 404),
    ):
        status, page = await zip_of(user, *asked)
        assert status == refusal
        assert "<h1" in page


def test_a_zip_needs_a_session_and_a_csrf_token(alice: User) -> None:
    path, forging = "/gallery/zip/", Client(enforce_csrf_checks=True)
    forging.force_login(alice)

    assert forging.post(path, {"pictures": "x"}).status_code == 403
    assert signed_in(alice).get(path).status_code == 405
    assert Client().post(path)["Location"] == "/accounts/sign-in/?next=/gallery/"
