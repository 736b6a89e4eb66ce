"""Changing the password, with the limits of a sign-in."""

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


PASSWORD_PAGE = "/accounts/password/change/"


def change_password(client: Client, old: str, new: str = "another good password") -> Any:
    form = {"oldpassword": old, "password1": new, "password2": new}
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
    assert wrong.context["form"].has_error("oldpassword", "enter_current_password")
    assert paused.context["form"].has_error("oldpassword", "throttled")
    assert statuses(1, "carol") == [429]
    lines = [re.sub(r"wait=\d+", "wait=…", each.getMessage()) for each in caplog.records]
    rest = f"account=carol address={HERE} purpose=password_change"
    assert lines[:2] == [f"sign_in_refused {rest}", f"sign_in_throttled {rest} wait=…"]


def test_the_admin_leads_to_the_page_that_changes_the_password(carol: Client) -> None:
    page = carol.get("/admin/password_change/", follow=True)
    answer = change_password(carol, GOOD)

    assert page.redirect_chain == [(PASSWORD_PAGE, 302)]
    assert b'name="oldpassword"' in page.content
    assert answer.headers["Location"] == PASSWORD_PAGE
    assert carol.get(PASSWORD_PAGE).status_code == 200
    assert try_once("carol", "another good password").status_code == 302
    assert Client().get(PASSWORD_PAGE).status_code == 302
