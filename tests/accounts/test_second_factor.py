"""Authenticator apps and recovery codes, and the second factor that staff must have."""

from __future__ import annotations

import logging

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client, RequestFactory, override_settings
from django.utils import timezone

from accounts import secret_box
from accounts.second_factor import passkey_url, passkeys_work
from accounts.tokens import create_token
from generation.sessions.authentication import ConnectionRejected, Credentials
from tests.accounts.conftest import SignedIn
from tests.accounts.second_factors import CODE_PAGE, FACTORS, code_of, enrol, pending
from tests.accounts.sign_in_attempts import GOOD, confirm

pytestmark = pytest.mark.django_db(transaction=True)


def enter(client: Client, code: str) -> bool:
    client.post(CODE_PAGE, {"code": code})
    return bool(client.get("/").status_code == 200)


def test_a_code_is_asked_for_after_the_password(
    alice: User, signed_in: SignedIn, caplog: pytest.LogCaptureFixture
) -> None:
    secret, used, codes = enrol(signed_in("alice"))
    caplog.clear()

    with caplog.at_level(logging.INFO, logger="liujuan.security"):
        assert not enter(pending(), used), "the code of the set-up was taken again"
        # the clock may have passed into the next period: this one is of no period before
        following = code_of(secret, 1)
        assert enter(pending(), following)
        assert not enter(pending(), following), "a code was taken twice"
        assert enter(pending(), codes[0])
        assert not enter(pending(), codes[0]), "a recovery code was taken twice"

    lines = [each.getMessage().split(" address")[0] for each in caplog.records]
    ends = [
        each.getMessage().split("how=")[1] for each in caplog.records if "how=" in each.getMessage()
    ]
    assert ends == ["password+totp", "password+recovery_codes"]
    assert lines.count("second_factor_refused account=alice") == 3
    assert lines.count("password_ok account=alice") == 5


def test_the_admin_asks_for_the_code_too(signed_in: SignedIn) -> None:
    User.objects.create_superuser("root", password=GOOD)
    secret, _used, _codes = enrol(signed_in("root"))
    client = pending("root")

    assert client.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/accounts/")
    assert enter(client, code_of(secret, 1))
    assert client.get("/admin/").status_code == 200


def test_wrong_codes_are_limited(alice: User, signed_in: SignedIn) -> None:
    secret, _used, _codes = enrol(signed_in("alice"))
    client = pending()
    for number in range(5):
        client.post(CODE_PAGE, {"code": f"{number:06d}"})

    assert not enter(client, code_of(secret, 1))


def test_wrong_codes_are_limited_without_a_shared_cache(alice: User, signed_in: SignedIn) -> None:
    away = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://127.0.0.1:1/0",
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
    with override_settings(CACHES=settings.CACHES | {"shared": away}):
        secret, used, _codes = enrol(signed_in("alice"))
        client = pending()
        assert not enter(client, used)
        for number in range(4):
            assert client.post(CODE_PAGE, {"code": f"{number:06d}"}).status_code == 200

        assert not enter(client, code_of(secret, 1))


def test_secrets_are_encrypted_with_the_key_of_the_installation(
    alice: User, signed_in: SignedIn
) -> None:
    secret, _used, codes = enrol(signed_in("alice"))
    stored = {each.type: each.data for each in Authenticator.objects.filter(user=alice)}
    assert secret not in str(stored)
    assert secret_box.decrypt(stored["totp"]["secret"]) == secret
    assert not any(code in str(stored) for code in codes)

    renewed = override_settings(SECRET_KEY="another key that is long enough to be taken")
    with renewed, pytest.raises(InvalidToken):
        secret_box.decrypt(stored["totp"]["secret"])
    with override_settings(SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]), renewed:
        assert secret_box.decrypt(stored["totp"]["secret"]) == secret


def test_changes_ask_for_the_password_again(alice: User, signed_in: SignedIn) -> None:
    client = signed_in("alice")

    for page in ("totp/activate/", "webauthn/add/"):
        asked = client.get(f"{FACTORS}{page}")
        assert asked["Location"].startswith("/accounts/reauthenticate/?next=")
    assert client.post("/accounts/reauthenticate/", {"password": "wrong"}).status_code == 200
    assert client.get(f"{FACTORS}totp/activate/").status_code == 302
    confirm(client)
    assert client.get(f"{FACTORS}totp/activate/").status_code == 200


@override_settings(MFA_STAFF=True)
def test_staff_without_a_second_factor_can_only_add_one(signed_in: SignedIn) -> None:
    root = User.objects.create_superuser("root", password=GOOD)
    User.objects.create_user("alice", password=GOOD)
    client = signed_in("root")

    for page in ("/", "/gallery/", "/admin/", "/events/poll/"):
        assert client.get(page)["Location"] == FACTORS
    assert 'data-level="error"' in client.get(FACTORS).text
    assert refused_with(Credentials(token=None, session_key=key(client), address="x")) == 4403
    token = create_token(owner=root, name="", now=timezone.now())
    assert refused_with(Credentials(token=token, session_key=None, address="x")) == 4403
    assert signed_in("alice").get("/").status_code == 200

    enrol(client)
    assert client.get("/admin/").status_code == 200
    assert refused_with(Credentials(token=token, session_key=None, address="x")) is None


def key(client: Client) -> str:
    return str(client.session.session_key)


def refused_with(credentials: Credentials) -> int | None:
    """The close code of a connection with them."""
    try:
        credentials.authenticate()
    except ConnectionRejected as rejected:
        return int(rejected.close_code)
    return None


@pytest.mark.parametrize(
    ("host", "secure", "possible", "elsewhere"),
    [
        ("localhost:8000", False, True, ""),
        ("studio.localhost", False, True, ""),
        ("127.0.0.1:8000", False, False, "http://localhost:8000/a?b"),
        ("127.0.0.1", False, False, "http://localhost:80/a?b"),
        ("[::1]:8000", False, False, "http://localhost:8000/a?b"),
        ("[::1]", True, False, ""),
        ("192.0.2.1", True, False, ""),
        ("192.0.2.1:8000", False, False, ""),
        ("studio.example", True, True, ""),
        ("studio.example", False, False, ""),
    ],
)
def test_passkeys_are_offered_where_browsers_allow_them(
    host: str, secure: bool, possible: bool, elsewhere: str
) -> None:
    request = RequestFactory(headers={"Host": host}).get("/a?b", secure=secure)

    with override_settings(ALLOWED_HOSTS=["*"]):
        assert passkeys_work(request) is possible
        assert passkey_url(request) == elsewhere
