"""Quick password hashes, an account with a password, and reports of changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.credential_changes import credentials_changed
from accounts.failover_cache import counters
from tests.accounts.sign_in_attempts import GOOD, CountingHasher

SignedIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def limits(settings: Any) -> Iterator[None]:
    settings.PASSWORD_HASHERS = [f"{CountingHasher.__module__}.CountingHasher"]
    yield
    counters.away_until, counters.is_away = 0.0, False


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", password=GOOD)


@pytest.fixture
def signed_in(db: None) -> SignedIn:
    """`signed_in("alice")`: a browser after a sign-in with the password."""

    def signed_in(name: str, password: str = GOOD, **headers: str) -> Client:
        client = Client(headers=headers)
        answer = client.post("/accounts/sign-in/", {"login": name, "password": password})
        assert answer.status_code == 302, answer.context["form"].errors
        return client

    return signed_in


@pytest.fixture
def reported() -> Iterator[list[int]]:
    """The ids of users whose credentials were reported as changed, in order."""
    ids: list[int] = []

    def note(sender: object, user_id: int, **_: object) -> None:
        ids.append(user_id)

    credentials_changed.connect(note)
    yield ids
    credentials_changed.disconnect(note)
