"""Compression, which is off for pages that echo input beside secrets."""

from __future__ import annotations

import gzip
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.factories import finished_task, picture_key
from tests.pages.page_clients import signed_in

pytestmark = pytest.mark.django_db
GZIP = {"Accept-Encoding": "gzip, deflate, br"}


def coding_of(client: Client, path: str) -> str | None:
    response = client.get(path, headers=GZIP)
    assert response.status_code in {200, 404}
    return response.get("Content-Encoding")


def test_pages_are_compressed_on_request(alice: User, now: datetime) -> None:
    task = finished_task(alice, now, prompt="willow by the lake")
    client = signed_in(alice)

    for path in ("/", f"/tasks/{task.pk}/", "/gallery/", "/trash/"):
        packed = client.get(path, headers=GZIP)
        assert packed["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in packed["Vary"]
        assert int(packed["Content-Length"]) == len(packed.content)
        assert "LiuJuan Studio" in gzip.decompress(packed.content).decode()
        assert "Content-Encoding" not in client.get(path)


def test_nothing_that_may_repeat_its_request_is_compressed(alice: User, now: datetime) -> None:
    task = finished_task(alice, now, prompt="willow by the lake")
    client = signed_in(alice)
    pages = ["/", "/gallery/", "/trash/", f"/tasks/{task.pk}/"]
    asked = [
        *(f"{page}?q=willow+by" for page in pages),
        *(f"/?from={picture_key(task)}", "/gallery/?fragment=1&q=willow", "/wil/low/"),
    ]

    assert {coding_of(client, path) for path in asked} == {None}
    assert coding_of(Client(), "/accounts/sign-in/?next=/gallery/") is None
    assert coding_of(Client(), "/accounts/sign-in/") is None


def test_the_words_of_the_scripts_are_compressed_and_known_again(alice: User) -> None:
    path = "/i18n/catalog.js?language=zh-hans"

    first = Client().get(path, headers=GZIP)
    again = Client().get(path, headers={**GZIP, "If-None-Match": first["ETag"]})

    assert "studioLabels" in gzip.decompress(first.content).decode()
    assert again.status_code == 304
