"""Account pages are in the language of their reader, with the words of allauth and Django too."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.reset_links import create_reset_link
from tests.accounts.conftest import SignedIn
from tests.accounts.second_factors import enrol, pending

pytestmark = pytest.mark.django_db(transaction=True)

NOT_READ = re.compile(r"<(script|style|svg|code|pre|textarea|title)\b.*?</\1>|<[^>]+>", re.DOTALL)
ENGLISH = re.compile(r"[A-Za-z']+(?: [A-Za-z']+){2,}")
CHINESE = {"accept_language": "zh-hans"}


def english_in(html: str) -> list[str]:
    """Runs of three or more English words that are shown."""
    return ENGLISH.findall(NOT_READ.sub("\n", html))


def test_a_run_of_english_words_is_found() -> None:
    assert english_in("<p>密码：<b>This password is too short</b></p>") == [
        "This password is too short"
    ]
    assert english_in("<p>密码 LiuJuan Studio</p><code>manage.py reset_link a b</code>") == []


def test_account_pages_in_chinese_have_no_english(alice: User, signed_in: SignedIn) -> None:
    client = signed_in("alice", **CHINESE)
    enrol(client)
    paths = ["", "password/change/", "sessions/", "2fa/", "2fa/webauthn/", "2fa/totp/deactivate/"]
    for path in [*paths, "2fa/recovery-codes/", "2fa/recovery-codes/generate/", "reauthenticate/"]:
        page = client.get(f"/accounts/{path}")
        assert page.status_code == 200, path
        assert english_in(page.text) == [], path

    form = {"oldpassword": "x", "password1": "1234", "password2": "12345"}
    refused = client.post("/accounts/password/change/", form)
    assert "密码至少需要 8 个字符" in refused.text
    assert english_in(refused.text) == []


def test_pages_before_the_sign_in_in_chinese_have_no_english(alice: User) -> None:
    client = Client(headers=CHINESE)
    paths = ["sign-in/", "signup/", "password/reset/", "password/reset/key/1-a-b/"]
    for path in [f"/accounts/{path}" for path in paths] + [create_reset_link(alice)]:
        page = client.get(path, follow=True)
        assert page.status_code == 200, path
        assert english_in(page.text) == [], path


def test_the_second_factor_is_asked_for_in_chinese(alice: User, signed_in: SignedIn) -> None:
    enrol(signed_in("alice"))
    client = pending()
    page = client.post("/accounts/2fa/authenticate/", {"code": "0"}, headers=CHINESE)
    assert "恢复码" in page.text
    assert english_in(page.text) == []
