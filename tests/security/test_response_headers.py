"""Headers that protect every page, and that keep private ones out of caches."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation import services
from tests.factories import finished_task

pytestmark = pytest.mark.django_db

PRIVATE = [
    *("/", "/gallery/", "/trash/", "/collection/", "/tasks/{task}/", "/tasks/{task}/timeline/"),
    *("/accounts/", "/accounts/password/change/", "/accounts/sessions/", "/accounts/2fa/"),
    *("/accounts/programs/", "/accounts/limits/", "/accounts/data/"),
    *("/admin/", "/admin/auth/user/", "/admin/generation/generationtask/"),
    "/tasks/00000000-0000-4000-8000-000000000000/",
]
PUBLIC = ["/accounts/sign-in/", "/accounts/signup/", "/healthz", "/nothing/", "/api/v1/me"]
POLICY = {
    "default-src 'self'",
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
}


@pytest.fixture
def root(media: Path) -> User:
    return User.objects.create_superuser("root")


@pytest.fixture
def names(root: User, now: datetime) -> dict[str, str]:
    return {"task": str(finished_task(root, now).pk)}


def test_every_page_is_protected_and_none_is_kept(root: User, names: dict[str, str]) -> None:
    signed_in = Client()
    signed_in.force_login(root)
    responses = {path: signed_in.get(path.format_map(names)) for path in PRIVATE}
    responses |= {path: Client().get(path) for path in PUBLIC}

    for path, response in responses.items():
        assert "no-store" in response["Cache-Control"], path
        assert_is_protected(response)


def assert_is_protected(response: Any) -> None:
    headers = response.headers
    assert {part.strip() for part in headers["Content-Security-Policy"].split(";")} == POLICY
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert {"camera=()", "microphone=()"} < set(headers["Permissions-Policy"].split(", "))


def test_shared_pictures_may_be_shown_elsewhere(
    root: User, names: dict[str, str], now: datetime
) -> None:
    task = root.tasks.get(pk=names["task"])
    link, _expires = services.create_link(task=task, now=now)
    own = Client()
    own.force_login(root)

    shared, private = Client().get(f"/shared/{link}/1/"), own.get(f"/pictures/{task.pk}/1/")

    assert shared["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert private["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "private" in private["Cache-Control"]


def test_signing_out_empties_the_cache_of_the_browser(root: User) -> None:
    client = Client()
    client.force_login(root)

    assert client.post("/accounts/sign-out/")["Clear-Site-Data"] == '"cache"'


def test_files_of_the_site_are_protected_and_kept(root: User) -> None:
    response = Client().get("/static/studio/css/theme.css")

    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "no-store" not in response["Cache-Control"]
