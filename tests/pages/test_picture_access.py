"""Access to picture files by session or token, whatever a proxy adds."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.tokens import create_token
from tests.factories import finished_task
from tests.pages.page_clients import signed_in
from tests.socket.tokens import FOREIGN

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("authorization", FOREIGN)
def test_what_a_proxy_puts_into_authorization_does_not_hide_a_session(
    media: Path, alice: User, bob: User, now: datetime, authorization: str
) -> None:
    url = f"/pictures/{finished_task(alice, now).pk}/1/"
    headers = {"Authorization": authorization}

    assert signed_in(alice).get(url, headers=headers).status_code == 200
    assert signed_in(bob).get(url, headers=headers).status_code == 404
    unknown = Client().get(url, headers=headers)
    assert unknown.status_code == (401 if authorization.startswith("Bearer") else 302)


@pytest.mark.parametrize("has_thumbnail", [True, False])
def test_pictures_are_for_owner_and_staff(
    media: Path, alice: User, bob: User, rita: User, now: datetime, has_thumbnail: bool
) -> None:
    task = finished_task(alice, now)
    if not has_thumbnail:
        task.images.update(thumbnail="")
    url = f"/pictures/{task.pk}/1/"

    for path in (url, f"{url}thumbnail/"):
        statuses = [signed_in(user).get(path).status_code for user in (alice, rita, bob)]
        assert [*statuses, Client().get(path).status_code] == [200, 200, 404, 302]
    assert signed_in(alice).get(url)["Content-Type"] == "image/jpeg"
    assert signed_in(alice).get(f"/pictures/{task.pk}/2/").status_code == 404


def test_a_token_of_staff_without_a_second_factor_opens_nothing(
    media: Path, rita: User, now: datetime, settings: Any
) -> None:
    url = f"/pictures/{finished_task(rita, now).pk}/1/"
    headers = {"Authorization": f"Bearer {create_token(owner=rita, name='', now=now)}"}
    assert Client().get(url, headers=headers).status_code == 200

    settings.MFA_STAFF = True

    assert Client().get(url, headers=headers).status_code == 401


def test_tokens_work_beside_sessions(media: Path, alice: User, bob: User, now: datetime) -> None:
    url = f"/pictures/{finished_task(alice, now).pk}/1/"
    token = create_token(owner=alice, name="", now=now)

    good = {"Authorization": f"Basic eDp5,Bearer {token}"}
    assert Client().get(url, headers=good).status_code == 200
    assert signed_in(bob).get(url, headers=good).status_code == 200
    bad = {"Authorization": "Bearer lj-wrong"}
    assert signed_in(alice).get(url, headers=bad).status_code == 401
