"""Changing the password in the admin, with the limits of a sign-in."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.sign_in import ACCOUNT_LIMIT
from tests.accounts.sign_in_attempts import GOOD, HERE, statuses, tried, try_once

pytestmark = pytest.mark.django_db


PASSWORD_PAGE = "/admin/password_change/"


def change_password(client: Client, old: str, new: str = "another good password") -> Any:
    form = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post(PASSWORD_PAGE, form)


@pytest.fixture
def carol(db: None) -> Client:
    """A superuser, signed in."""
    client = Client(REMOTE_ADDR=HERE)
    client.force_login(User.objects.create_superuser("carol", password=GOOD))
    return client


def test_old_password_guesses_are_limited(carol: Client, caplog: pytest.LogCaptureFixture) -> None:
    tried(ACCOUNT_LIMIT, "carol", 12)

    with caplog.at_level(logging.INFO, logger="liujuan.security"):
        wrong, paused = change_password(carol, "wrong"), change_password(carol, GOOD)

    assert (wrong.status_code, paused.status_code) == (200, 429)
    assert int(paused.headers["Retry-After"]) > 0
    assert wrong.context["form"].has_error("old_password", "password_incorrect")
    assert paused.context["form"].has_error("old_password", "throttled")
    assert statuses(1, "carol") == [429]
    lines = [re.sub(r"wait=\d+", "wait=…", each.getMessage()) for each in caplog.records]
    rest = f"account=carol address={HERE} purpose=password_change"
    assert lines[:2] == [f"sign_in_refused {rest}", f"sign_in_throttled {rest} wait=…"]


def test_a_password_can_be_changed_in_the_admin(carol: Client) -> None:
    page = carol.get(PASSWORD_PAGE)
    answer = change_password(carol, GOOD)

    assert b'name="old_password"' in page.content
    assert answer.headers["Location"] == "/admin/password_change/done/"
    assert carol.get(answer.headers["Location"]).status_code == 200
    assert try_once("carol", "another good password").status_code == 302
    assert Client().get(PASSWORD_PAGE).status_code == 302
