"""A long download: complete, and produced no faster than it is read."""

from __future__ import annotations

import io
import re
import socket
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from tests.studio import Studio, wait_until

FILES, MIB = 40, 4
TASKS_WITH_PICTURES = f"""
from django.contrib.auth.models import User
from django.utils import timezone
from generation import images
from generation.models import GeneratedImage, GenerationTask
owner, now = User.objects.get(), timezone.now()
for number in range({FILES}):
    task = GenerationTask.objects.create(
        owner=owner, prompt="柳岸", model="m", width=512, height=512, image_count=1,
        steps=9, guidance=0, status="completed", progress=100, created=now, finished_at=now,
    )
    name = f"{{task.pk}}/1-1-0.png"
    images.write(name, bytes([number]) * ({MIB} << 20))
    GeneratedImage.objects.create(
        task=task, index=1, file=name, width=512, height=512, seed=number, bytes=1, sha256="0",
    )
    print(f"{{task.pk}}:1")
"""


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    studio = Studio(tmp_path_factory.mktemp("zip") / "data").start()
    yield studio
    studio.stop()


@pytest.fixture(scope="module")
def keys(studio: Studio) -> list[str]:
    return studio.shell(TASKS_WITH_PICTURES).split()


@pytest.fixture(scope="module")
def browser(studio: Studio) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=studio.url, timeout=60) as client:
        form = {
            "login": "studio",
            "password": studio.printed["Password"],
            "csrfmiddlewaretoken": csrf(client, "/accounts/sign-in/"),
        }
        assert client.post("/accounts/sign-in/", data=form).status_code == 302
        yield client


def csrf(client: httpx.Client, path: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get(path).text)
    assert found is not None
    return found[1]


def wish(browser: httpx.Client, keys: list[str]) -> bytes:
    """The form of the selection bar as a whole HTTP request."""
    fields = [("csrfmiddlewaretoken", csrf(browser, "/")), *(("pictures", key) for key in keys)]
    body = urlencode(fields)
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    head = (
        "POST /gallery/zip/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Cookie: {cookies}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


def megabytes(studio: Studio) -> float:
    assert studio.process is not None
    status = Path(f"/proc/{studio.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


def open_files(studio: Studio) -> list[str]:
    assert studio.process is not None
    folder = Path(f"/proc/{studio.process.pid}/fd")
    names = []
    for each in folder.iterdir():
        try:
            names.append(str(each.readlink()))
        except FileNotFoundError:
            continue
    return [name for name in names if name.endswith(".png")]


def test_the_zip_arrives_whole(studio: Studio, browser: httpx.Client, keys: list[str]) -> None:
    form = {"csrfmiddlewaretoken": csrf(browser, "/"), "pictures": keys[:5]}

    answer = browser.post("/gallery/zip/", data=form)

    assert answer.headers["content-type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.namelist() == [f"liujuan-柳岸-{number}.png" for number in range(5)]
    for number, name in enumerate(archive.namelist()):
        assert archive.read(name) == bytes([number]) * (MIB << 20)


def test_stalled_readers_are_cheap(studio: Studio, browser: httpx.Client, keys: list[str]) -> None:
    request, before = wish(browser, keys), megabytes(studio)

    with socket.create_connection(("127.0.0.1", studio.port)) as reader:
        reader.sendall(request)
        assert reader.recv(100).startswith(b"HTTP/1.1 200")
        time.sleep(3)
        grown = megabytes(studio) - before
        assert len(open_files(studio)) == 1

    assert grown < FILES * MIB / 4
    wait_until(lambda: not open_files(studio), what="the file is closed", seconds=20)
    assert "Traceback" not in studio.log.read_text()


def test_slow_readers_get_all(studio: Studio, browser: httpx.Client, keys: list[str]) -> None:
    received = 0
    with socket.create_connection(("127.0.0.1", studio.port)) as reader:
        reader.sendall(wish(browser, keys[:6]))
        while part := reader.recv(1 << 20):
            received += len(part)
            time.sleep(0.02)

    assert received > 6 * MIB << 20
    assert "Producer was not unregistered" not in studio.log.read_text()
