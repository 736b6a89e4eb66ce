"""Which accounts a sign-in at the OpenID provider leads to, and the settings for that.

The way there and back is in tests/process/test_openid_provider.py.
"""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.providers.base import Provider
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client, RequestFactory, override_settings

from accounts import oidc_confirmation
from accounts.oidc_adapter import OidcAdapter, cause_of
from accounts.second_factor import ALWAYS_ALLOWED
from generation.invalid_setting import InvalidSetting
from liujuan_site.addresses import identity_provider
from liujuan_site.environment import InvalidSettings
from liujuan_site.urls import oidc_pages
from tests.settings import SettingsOf

pytestmark = pytest.mark.django_db


def coming(*addresses: tuple[str, bool]) -> Any:
    """What allauth knows of a person without an account, with (address, confirmed there)."""
    emails = [EmailAddress(email=email, verified=verified) for email, verified in addresses]
    (app,) = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    # decides which of them are confirmed
    Provider(RequestFactory().get("/"), SimpleNamespace(**app)).cleanup_email_addresses("", emails)
    user = User(email=addresses[0][0] if addresses else "")
    return SimpleNamespace(is_existing=False, state={}, email_addresses=emails, user=user)


def let_in(login: Any) -> Any:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    OidcAdapter().pre_social_login(request, login)
    return login


@override_settings(OIDC_NAME="Bamboo")
def test_without_sign_up_only_connected_accounts_are_let_in() -> None:
    with pytest.raises(ImmediateHttpResponse) as refused:
        let_in(coming())

    assert refused.value.response.status_code == 403
    assert "Bamboo" in refused.value.response.content.decode()
    assert not OidcAdapter().is_open_for_signup(RequestFactory().get("/"), coming())


@override_settings(OIDC_SIGNUP=True)
def test_a_new_account_gets_only_confirmed_addresses() -> None:
    login = let_in(coming(("a@example.org", False), ("b@example.org", True)))

    assert [each.email for each in login.email_addresses] == ["b@example.org"]
    assert login.user.email == "b@example.org"


@override_settings(OIDC_SIGNUP=True)
def test_an_address_of_another_account_makes_no_second_account() -> None:
    User.objects.create_user("alice", "Alice@example.org")

    with pytest.raises(ImmediateHttpResponse):
        let_in(coming(("alice@example.org", True)))
    assert let_in(coming(("alice@example.org", False))).user.email == ""


@pytest.mark.parametrize(
    ("trusted", "confirmed_there", "confirmed_here", "is_linked"),
    [
        (True, True, True, True),
        # staff have set the address
        (True, True, None, True),
        # a stranger may have made this account to share it later
        (True, True, False, False),
        (True, False, True, False),
        (False, True, True, False),
    ],
)
def test_trusted_addresses_link_accounts(
    trusted: bool,
    confirmed_there: bool,
    confirmed_here: bool | None,
    is_linked: bool,
    settings_of: SettingsOf,
) -> None:
    client = {"OIDC_CLIENT_ID": "studio", "OIDC_CLIENT_SECRET": "a-secret"}
    env = {"OIDC_SERVER": "https://login.example", "OIDC_TRUST_EMAIL": str(int(trusted))}
    given = settings_of(**env, **client)
    trust = {name: given[name] for name in ("OIDC_TRUST_EMAIL", "SOCIALACCOUNT_PROVIDERS")}
    alice = User.objects.create_user("alice", "alice@example.org")
    if confirmed_here is not None:
        EmailAddress.objects.create(user=alice, email=alice.email, verified=confirmed_here)

    with override_settings(**trust):
        found = OidcAdapter().authenticate_by_email(coming(("alice@example.org", confirmed_there)))

    assert found == ((alice, "alice@example.org") if is_linked else None)
    # allauth removes the password otherwise
    kept = EmailAddress.objects.filter(user=alice, email=alice.email, verified=True)
    assert kept.exists() is bool(is_linked or confirmed_here)


@override_settings(OIDC_SERVER="https://login.example")
def test_staff_without_a_second_factor_can_confirm_at_the_provider() -> None:
    """Without a password there is no other confirmation, which adding a factor needs."""
    pages = oidc_pages()
    for address in ("oidc/provider/login/", "oidc/provider/login/callback/"):
        (match,) = filter(None, (page.resolve(address) for page in pages))
        assert match.view_name in ALWAYS_ALLOWED


def test_the_log_has_no_text_of_an_answer() -> None:
    request = RequestFactory().get("/", {"error": "server_error"})
    refusal = ValueError('Error retrieving: b\'{"error": "invalid_client", "x": "s"}\'')

    assert cause_of(None, request) == "the provider said server_error"
    assert cause_of(refusal, request) == "ValueError: invalid_client"
    assert cause_of(ValueError('{"access_token": "eyJ"}'), request) == "ValueError"


def test_an_account_without_a_password_confirms_by_signing_in_again(alice: User) -> None:
    alice.set_unusable_password()
    alice.save()
    client = Client()
    client.force_login(alice)

    answer = client.get("/accounts/data/export/", follow=True)

    assert answer.redirect_chain[0][0].startswith("/accounts/reauthenticate/?next=")
    assert answer.status_code == 200
    assert "account/confirm_by_sign_in.html" in [each.name for each in answer.templates]


@pytest.mark.parametrize(
    ("begun_with", "age", "counts"),
    [
        (oidc_confirmation.REQUESTED, 1, True),
        # many providers do not say when they asked
        (oidc_confirmation.REQUESTED, None, True),
        (oidc_confirmation.REQUESTED, 3600, False),
        (None, 1, False),
    ],
)
def test_a_sign_in_confirms_if_the_provider_asked_again(
    begun_with: dict[str, bool] | None, age: int | None, counts: bool
) -> None:
    request = RequestFactory().get("/")
    request.session = SessionStore()
    claims = {} if age is None else {"auth_time": int(time.time()) - age}
    account = SimpleNamespace(extra_data={"id_token": claims})

    oidc_confirmation.remember(
        request, SimpleNamespace(state={"data": begun_with}, account=account)
    )

    assert oidc_confirmation.was_given(request) is counts


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("https://login.example/realms/main/", "https://login.example/realms/main"),
        ("https://login.example/.well-known/openid-configuration", "https://login.example"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_the_address_of_the_provider(given: str, read: str) -> None:
    assert identity_provider(given) == read


@pytest.mark.parametrize(
    "given", ["login.example", "http://login.example", "https://me:x@login.example", "https://a?b"]
)
def test_an_address_that_cannot_be_believed(given: str) -> None:
    with pytest.raises(InvalidSetting):
        identity_provider(given)


def test_a_provider_needs_a_client(settings_of: SettingsOf) -> None:
    client = {"OIDC_CLIENT_ID": "studio", "OIDC_CLIENT_SECRET": "a-secret"}

    assert "allauth.socialaccount" not in settings_of()["INSTALLED_APPS"]
    with pytest.raises(InvalidSettings):
        settings_of(OIDC_SERVER="https://login.example")
    given = settings_of(OIDC_SERVER="https://login.example", **client)
    assert "allauth.socialaccount" in given["INSTALLED_APPS"]
    assert "a-secret" in given["LOGGING"]["formatters"]["line"]["secrets"]
